/** Where events come from, with which keys, and what became of them. */
import "../style/pages.css";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { useCommands } from "../shell/commands.tsx";
import { Button, classes } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List } from "../ui/parts.tsx";
import { Empty, Failed, Waiting } from "../ui/states.tsx";
import { formatAgo, formatBytes } from "../ui/time.ts";
import { type Key, keyState, type MadeKey, type Source, useKeys, useSourceChange, useSources } from "./data.ts";
import { KeyShown, labelOf, maskOf, NewKeyDialog, RevokeDialog, RotateDialog } from "./key-dialogs.tsx";
import { Producers } from "./producers.tsx";
import { SourceDialog } from "./source-dialog.tsx";
import { Trace } from "./trace.tsx";

type Dialog =
  | { readonly kind: "source"; readonly source?: Source }
  | { readonly kind: "key"; readonly source?: string }
  | { readonly kind: "rotate" | "revoke"; readonly key: Key }
  | { readonly kind: "made"; readonly made: MadeKey };

export const SourcesPage = () => {
  const [parameters, setParameters] = useSearchParams();
  const [dialog, setDialog] = useState<Dialog>();
  const sources = useSources();
  const keys = useKeys();
  const changing = useSourceChange();
  const ended = parameters.get("ended") === "1";
  const set = (name: string, value: string): void =>
    setParameters(
      (before) => {
        const after = new URLSearchParams(before);
        if (value === "") after.delete(name);
        else after.set(name, value);
        return after;
      },
      { replace: true },
    );
  const close = (): void => setDialog(undefined);

  useCommands([
    {
      id: "new-source",
      title: "New source",
      section: "Sources and keys",
      keys: "n",
      run: () => setDialog({ kind: "source" }),
    },
    {
      id: "new-key",
      title: "New key",
      section: "Sources and keys",
      keys: "shift+n",
      run: () => setDialog({ kind: "key" }),
    },
  ]);

  const all = sources.data ?? [];
  const nameOf = (id: string | null): string => all.find((one) => one.id === id)?.name ?? "";
  const shown = (keys.data ?? []).filter((key) => ended || keyState(key) === "on").toReversed();
  const over = (keys.data ?? []).filter((key) => keyState(key) !== "on").length;
  return (
    <div className="page">
      <section className="stack-small" aria-label="Sources">
        <header className="page-head">
          <h2>Sources</h2>
          <Button small look="primary" icon={<Plus size={14} />} onClick={() => setDialog({ kind: "source" })}>
            New source
          </Button>
        </header>
        {sources.isPending ? (
          <Waiting what="Loading the sources" />
        ) : sources.isError ? (
          <Failed what="The sources cannot be shown" error={sources.error} onRetry={() => void sources.refetch()} />
        ) : all.length === 0 ? (
          <Empty title="No source yet">
            <p className="soft">A source is where events come from: an application, a cluster, a device.</p>
            <Button look="primary" onClick={() => setDialog({ kind: "source" })}>
              Make the first source
            </Button>
          </Empty>
        ) : (
          <List heads={["Name", "#Keys", "#Keeps", "-#Limit", "-Made", ""]}>
            {all.map((source) => (
              <tr key={source.id} className={classes(source.disabled && "is-off")}>
                <td>
                  <strong>{source.name}</strong> {source.disabled ? <span className="badge">off</span> : null}
                  <div className="faint small mono">{source.id}</div>
                </td>
                <td className="number">
                  {(keys.data ?? []).filter((key) => key.source === source.id && keyState(key) === "on").length}
                </td>
                <td className="number">{source.retention_days} d</td>
                <td className="number wide-only">
                  {source.max_bytes_per_second === 0 ? "none" : `${formatBytes(source.max_bytes_per_second)}/s`}
                </td>
                <td className="wide-only soft">{formatAgo(source.created_at)}</td>
                <td className="acts">
                  <RowMenu label={`Acts on ${source.name}`}>
                    <MenuItem onSelect={() => setDialog({ kind: "key", source: source.id })}>New key for it</MenuItem>
                    <MenuItem onSelect={() => setDialog({ kind: "source", source })}>Change name and limits</MenuItem>
                    <MenuLine />
                    <MenuItem
                      danger={!source.disabled}
                      onSelect={() => changing.mutate({ id: source.id, disabled: !source.disabled })}
                    >
                      {source.disabled ? "Switch on" : "Switch off: refuse its events"}
                    </MenuItem>
                  </RowMenu>
                </td>
              </tr>
            ))}
          </List>
        )}
      </section>
      <section className="stack-small" aria-label="Keys">
        <header className="page-head">
          <h2>Keys</h2>
          {over === 0 ? null : (
            <Button small look="quiet" onClick={() => set("ended", ended ? "" : "1")}>
              {ended ? "Hide ended keys" : `Show ${over} ended`}
            </Button>
          )}
          <Button small icon={<Plus size={14} />} onClick={() => setDialog({ kind: "key" })}>
            New key
          </Button>
        </header>
        {keys.isPending ? (
          <Waiting what="Loading the keys" />
        ) : keys.isError ? (
          <Failed what="The keys cannot be shown" error={keys.error} onRetry={() => void keys.refetch()} />
        ) : (
          <List heads={["Key", "May", "-Source", "-Made", "State", ""]}>
            {shown.map((key) => (
              <tr key={key.id} className={classes(keyState(key) !== "on" && "is-off")}>
                <td>
                  <strong>{key.name || "unnamed"}</strong>
                  <div className="faint small mono">{maskOf(key)}</div>
                </td>
                <td>{key.kind === "ingest" ? "send" : key.kind === "query" ? "search" : "manage"}</td>
                <td className="wide-only soft">{nameOf(key.source)}</td>
                <td className="wide-only soft">{formatAgo(key.created_at)}</td>
                <td>
                  <KeyState of={key} />
                </td>
                <td className="acts">
                  {keyState(key) !== "on" ? null : (
                    <RowMenu label={`Acts on ${labelOf(key)}`}>
                      <MenuItem onSelect={() => setDialog({ kind: "rotate", key })}>Rotate</MenuItem>
                      <MenuItem danger onSelect={() => setDialog({ kind: "revoke", key })}>
                        Revoke
                      </MenuItem>
                    </RowMenu>
                  )}
                </td>
              </tr>
            ))}
          </List>
        )}
      </section>
      <Producers sources={all} />
      <Trace text={parameters.get("trace") ?? ""} onText={(text) => set("trace", text)} />
      {dialog?.kind === "source" ? (
        <SourceDialog
          {...(dialog.source === undefined ? {} : { of: dialog.source })}
          onClose={close}
          onDone={(made) => setDialog(dialog.source === undefined ? { kind: "key", source: made.id } : undefined)}
        />
      ) : null}
      {dialog?.kind === "key" ? (
        <NewKeyDialog
          sources={all}
          {...(dialog.source === undefined ? {} : { source: dialog.source })}
          onClose={close}
          onMade={(made) => setDialog({ kind: "made", made })}
        />
      ) : null}
      {dialog?.kind === "rotate" ? (
        <RotateDialog of={dialog.key} onClose={close} onMade={(made) => setDialog({ kind: "made", made })} />
      ) : null}
      {dialog?.kind === "revoke" ? <RevokeDialog of={dialog.key} onClose={close} /> : null}
      {dialog?.kind === "made" ? <KeyShown made={dialog.made} onClose={close} /> : null}
    </div>
  );
};

const KeyState = ({ of: key }: { of: Key }) => {
  const state = keyState(key);
  if (state !== "on") return <span className="badge">{state}</span>;
  return key.expires_at === null ? (
    <span className="good">works</span>
  ) : (
    <span className="warn">ends {formatAgo(key.expires_at)}</span>
  );
};
