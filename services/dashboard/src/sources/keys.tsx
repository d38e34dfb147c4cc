/** Keys: what each may, from where, until when, and when it was used last. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useMay } from "../account/acts.tsx";
import { useCommands } from "../shell/commands.tsx";
import { scopeWords } from "../team/data.ts";
import { Button, classes } from "../ui/controls.tsx";
import { MenuItem, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { type Key, keyState, type MadeKey, type Source, useKeys } from "./data.ts";
import { KeyShown, labelOf, maskOf, NewKeyDialog, RevokeDialog, RotateDialog } from "./key-dialogs.tsx";

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "rotate" | "revoke"; readonly key: Key }
  | { readonly kind: "made"; readonly made: MadeKey };

interface KeysProps {
  readonly sources: readonly Source[];
  /** A source that a key is to be made for right now; `onBegun` when the dialog for it has ended. */
  readonly newFor: string | undefined;
  readonly onBegun: () => void;
  readonly ended: boolean;
  readonly onEnded: (shown: boolean) => void;
}

export const Keys = ({ sources, newFor, onBegun, ended, onEnded }: KeysProps) => {
  const may = useMay();
  const mayWrite = may("keys.write");
  const keys = useKeys();
  const [open, setOpen] = useState<Open>();
  const close = (): void => {
    setOpen(undefined);
    onBegun();
  };
  const begin = (): void => setOpen({ kind: "new" });
  const made = (key: MadeKey): void => {
    onBegun();
    setOpen({ kind: "made", made: key });
  };
  useCommands(
    mayWrite ? [{ id: "new-key", title: "New key", section: "Sources and keys", keys: "shift+n", run: begin }] : [],
  );
  if (!may("keys.read")) return null;
  const over = (keys.data ?? []).filter((key) => keyState(key) !== "on").length;
  return (
    <Section
      title="Keys"
      act={
        <>
          {over === 0 ? null : (
            <Button small look="quiet" onClick={() => onEnded(!ended)}>
              {ended ? "Hide ended keys" : `Show ${over} ended`}
            </Button>
          )}
          {mayWrite ? (
            <Button small icon={<Plus size={14} />} onClick={begin}>
              New key
            </Button>
          ) : null}
        </>
      }
    >
      <Read from={keys} what="the keys">
        {(all) => (
          <List heads={["Key", "May", "-Source", "-Last used", "State", ...(mayWrite ? [""] : [])]}>
            {all
              .filter((key) => ended || keyState(key) === "on")
              .toReversed()
              .map((key) => (
                <tr key={key.id} className={classes(keyState(key) !== "on" && "is-off")}>
                  <td>
                    <strong>{key.name || "unnamed"}</strong>
                    <div className="faint small mono">{maskOf(key)}</div>
                  </td>
                  <td>
                    {verbs[key.kind]}
                    <div className="faint small">{limitsOf(key)}</div>
                  </td>
                  <td className="wide-only soft">{reachOf(key, sources)}</td>
                  <td className="wide-only soft">
                    {key.last_used_at === null ? "never" : formatAgo(key.last_used_at)}
                    <div className="faint small">made {formatAgo(key.created_at)}</div>
                  </td>
                  <td>
                    <State of={key} />
                  </td>
                  {mayWrite ? (
                    <td className="acts">
                      {keyState(key) === "on" ? (
                        <RowMenu label={`Acts on ${labelOf(key)}`}>
                          <MenuItem onSelect={() => setOpen({ kind: "rotate", key })}>Rotate</MenuItem>
                          <MenuItem danger onSelect={() => setOpen({ kind: "revoke", key })}>
                            Revoke
                          </MenuItem>
                        </RowMenu>
                      ) : null}
                    </td>
                  ) : null}
                </tr>
              ))}
          </List>
        )}
      </Read>
      {open?.kind === "new" || (open === undefined && newFor !== undefined) ? (
        <NewKeyDialog
          sources={sources}
          {...(newFor === undefined ? {} : { source: newFor })}
          onMade={made}
          onClose={close}
        />
      ) : null}
      {open?.kind === "rotate" ? <RotateDialog of={open.key} onMade={made} onClose={close} /> : null}
      {open?.kind === "revoke" ? <RevokeDialog of={open.key} onClose={close} /> : null}
      {open?.kind === "made" ? <KeyShown made={open.made} onClose={close} /> : null}
    </Section>
  );
};

const verbs = { ingest: "send", query: "search", admin: "manage" } as const;

const limitsOf = ({ permissions, ip_allowlist: addresses }: Key): string =>
  [
    ...(permissions.length === 0
      ? []
      : [permissions.length === 1 ? permissions[0] : `${permissions.length} permissions`]),
    ...(addresses.length === 0
      ? []
      : [`from ${addresses.length === 1 ? addresses[0] : `${addresses.length} addresses`}`]),
  ].join(", ");

const reachOf = ({ kind, source, sources: seen }: Key, sources: readonly Source[]): string =>
  scopeWords(kind === "ingest" && source !== null ? [source] : seen.length === 0 ? null : seen, sources);

const State = ({ of: key }: { of: Key }) => {
  const state = keyState(key);
  if (state !== "on") return <span className="badge">{state}</span>;
  return key.expires_at === null ? (
    <span className="good">works</span>
  ) : (
    <span className="warn">ends {formatAgo(key.expires_at)}</span>
  );
};
