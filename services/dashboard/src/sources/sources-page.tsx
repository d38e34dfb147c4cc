/** Where events come from, with which keys, and what became of them. */
import "../style/pages.css";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { patch } from "../api/client.ts";
import { useAddress } from "../shell/address.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button, classes } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { Empty } from "../ui/states.tsx";
import { formatAgo, formatBytes } from "../ui/time.ts";
import { keyState, type Source, useKeys, useSources } from "./data.ts";
import { Keys } from "./keys.tsx";
import { Producers } from "./producers.tsx";
import { ChangeSource, NewSource } from "./source-dialog.tsx";
import { Trace } from "./trace.tsx";

type Open = { readonly kind: "new" } | { readonly kind: "change"; readonly source: Source };

export const SourcesPage = () => {
  const address = useAddress();
  const may = useMay();
  const [newKeyFor, setNewKeyFor] = useState<string>();
  const sources = useSources();
  const all = sources.data ?? [];
  return (
    <div className="page">
      {may("sources.read") ? <Sources from={sources} onNewKey={may("keys.write") ? setNewKeyFor : undefined} /> : null}
      <Keys
        sources={all}
        newFor={newKeyFor}
        onBegun={() => setNewKeyFor(undefined)}
        ended={address.get("ended") === "1"}
        onEnded={(shown) => address.set({ ended: shown ? "1" : "" }, true)}
      />
      <Producers sources={all} />
      {may("events.read") ? (
        <Trace text={address.get("trace") ?? ""} onText={(text) => address.set({ trace: text }, true)} />
      ) : null}
    </div>
  );
};

interface SourcesProps {
  readonly from: ReturnType<typeof useSources>;
  readonly onNewKey: ((source: string) => void) | undefined;
}

const Sources = ({ from, onNewKey }: SourcesProps) => {
  const may = useMay();
  const mayWrite = may("sources.write");
  const seesKeys = may("keys.read");
  const keys = useKeys();
  const acts = useActs("sources", "producers");
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const begin = (): void => setOpen({ kind: "new" });
  const has = onNewKey !== undefined || mayWrite;
  useCommands(
    mayWrite ? [{ id: "new-source", title: "New source", section: "Sources and keys", keys: "n", run: begin }] : [],
  );
  const worksFor = (id: string): number =>
    (keys.data ?? []).filter((key) => key.source === id && keyState(key) === "on").length;
  return (
    <Section
      title="Sources"
      act={
        mayWrite ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={begin}>
            New source
          </Button>
        ) : null
      }
    >
      <Wrong>{acts.wrong}</Wrong>
      <Read from={from} what="the sources">
        {(all) =>
          all.length === 0 ? (
            <Empty title="No source yet">
              <p className="soft">A source is where events come from: an application, a cluster, a device.</p>
              {mayWrite ? (
                <Button look="primary" onClick={begin}>
                  Make the first source
                </Button>
              ) : null}
            </Empty>
          ) : (
            <List heads={["Name", ...(seesKeys ? ["#Keys"] : []), "#Keeps", "-#Limit", "-Made", ...(has ? [""] : [])]}>
              {all.map((source) => (
                <tr key={source.id} className={classes(source.disabled && "is-off")}>
                  <td>
                    <strong>{source.name}</strong> {source.disabled ? <span className="badge">off</span> : null}
                    <div className="faint small mono">{source.id}</div>
                  </td>
                  {seesKeys ? <td className="number">{worksFor(source.id)}</td> : null}
                  <td className="number">{source.retention_days} d</td>
                  <td className="number wide-only">
                    {source.max_bytes_per_second === 0 ? "none" : `${formatBytes(source.max_bytes_per_second)}/s`}
                  </td>
                  <td className="wide-only soft">{formatAgo(source.created_at)}</td>
                  {has ? (
                    <td className="acts">
                      <RowMenu label={`Acts on ${source.name}`}>
                        {onNewKey === undefined ? null : (
                          <MenuItem onSelect={() => onNewKey(source.id)}>New key for it</MenuItem>
                        )}
                        {mayWrite ? (
                          <>
                            <MenuItem onSelect={() => setOpen({ kind: "change", source })}>
                              Change name and limits
                            </MenuItem>
                            <MenuLine />
                            <MenuItem
                              danger={!source.disabled}
                              onSelect={() =>
                                void acts.run(() => patch(`/sources/${source.id}`, { disabled: !source.disabled }))
                              }
                            >
                              {source.disabled ? "Switch on" : "Switch off: refuse its events"}
                            </MenuItem>
                          </>
                        ) : null}
                      </RowMenu>
                    </td>
                  ) : null}
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? (
        <NewSource
          onMade={({ id }) => {
            close();
            onNewKey?.(id);
          }}
          onClose={close}
        />
      ) : null}
      {open?.kind === "change" ? <ChangeSource of={open.source} onClose={close} /> : null}
    </Section>
  );
};
