/** Ranges of days brought back from a bucket for a while: what it comes to before it begins, how far each is, and its end. */
import { History } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { ActDialog, useActs, useMay } from "../account/acts.tsx";
import { post, remove } from "../api/client.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatBytes, number } from "../ui/time.ts";
import { useConnections } from "./buckets-data.ts";
import { type Rehydration, useRehydrations } from "./data.ts";

const stateWords: Readonly<Record<Rehydration["state"], string>> = {
  requested: "begins",
  running: "coming back",
  failing: "waits",
  done: "here",
  ending: "is being removed",
  ended: "ended",
};

const isOver = ({ state }: Rehydration): boolean => state === "ended" || state === "ending";

export const Rehydrations = () => {
  const rehydrations = useRehydrations();
  const connections = useConnections();
  const may = useMay()("retention.write");
  const [open, setOpen] = useState<{ readonly kind: "new" } | { readonly kind: "end"; readonly of: Rehydration }>();
  const close = (): void => setOpen(undefined);
  const buckets = connections.data?.connections ?? [];
  const nameOf = (id: string): string => buckets.find((one) => one.id === id)?.name ?? id;
  if (buckets.length === 0 && (rehydrations.data?.rehydrations.length ?? 0) === 0) return null;
  return (
    <Section
      title="Back from a bucket"
      about="Days that are no longer kept here come back for a while, each event once, and are searched as fast as any. They are removed when their time is over; the bucket keeps them."
      act={
        may && buckets.length > 0 ? (
          <Button small icon={<History size={14} />} onClick={() => setOpen({ kind: "new" })}>
            Bring days back
          </Button>
        ) : null
      }
    >
      <Read from={rehydrations} what="what came back">
        {({ rehydrations: all }) =>
          all.length === 0 ? (
            <p className="soft small">Nothing was brought back from a bucket.</p>
          ) : (
            <List heads={["Days", "State", "#Events", "-From", "-Until", ""]}>
              {all.map((one) => (
                <tr key={one.id}>
                  <td>
                    {one.from} to {one.to}
                    {one.query === "" ? null : <div className="mono small break">{one.query}</div>}
                    <div className="faint small mono">{one.id}</div>
                  </td>
                  <td>
                    <span className={one.state === "done" ? "good" : one.state === "failing" ? "warn" : "soft"}>
                      {stateWords[one.state]}
                    </span>
                    {one.state === "running" ? (
                      <div className="faint small">
                        {number.format(one.objects_done)} of {number.format(one.objects)} objects
                      </div>
                    ) : null}
                    {one.problem === "" ? null : (
                      <div className="faint small break">{one.problem} It is tried again.</div>
                    )}
                  </td>
                  <td className="number figures">{number.format(one.events)}</td>
                  <td className="wide-only soft">{nameOf(one.connection)}</td>
                  <td className="wide-only soft">{one.until}</td>
                  <td className="acts">
                    {isOver(one) ? null : <Acts of={one} may={may} onEnd={() => setOpen({ kind: "end", of: one })} />}
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? <BringBack onClose={close} /> : null}
      {open?.kind === "end" ? <End of={open.of} onClose={close} /> : null}
    </Section>
  );
};

const Acts = ({ of: one, may, onEnd }: { of: Rehydration; may: boolean; onEnd: () => void }) => {
  const [, go] = useLocation();
  const search = new URLSearchParams({ from: `${one.from}T00:00:00Z`, to: `${one.to}T23:59:59Z`, q: one.query });
  return (
    <RowMenu label={`Acts on ${one.id}`}>
      <MenuItem onSelect={() => go(`/explore?${search}`)}>Search in it</MenuItem>
      {may ? (
        <>
          <MenuLine />
          <MenuItem danger onSelect={onEnd}>
            End it now
          </MenuItem>
        </>
      ) : null}
    </RowMenu>
  );
};

const End = ({ of: { id, from, to }, onClose }: { of: Rehydration; onClose: () => void }) => (
  <ActDialog
    danger
    keep="Keep it"
    title={`End ${from} to ${to}`}
    about="What came back is removed here. Nothing in the bucket is deleted."
    acts={useActs("rehydrations")}
    submit="End it"
    work={() => remove(`/rehydrations/${id}`)}
    onClose={onClose}
  />
);

interface Cost {
  readonly events: number;
  readonly bytes: number;
  readonly until: string;
}

const BringBack = ({ onClose }: { onClose: () => void }) => {
  const connections = useConnections().data?.connections ?? [];
  const [connection, setConnection] = useState(connections[0]?.id ?? "");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [query, setQuery] = useState("");
  const [days, setDays] = useState("7");
  const [cost, setCost] = useState<Cost>();
  const daysFine = /^([1-9]|[12]\d|30)$/.test(days);
  /** Whatever changes, what was counted is another thing's. */
  const change =
    (set: (value: string) => void) =>
    (event: { target: { value: string } }): void => {
      set(event.target.value);
      setCost(undefined);
    };
  const body = { connection, from, to, query, days: Number(days) };
  return (
    <ActDialog
      title="Bring days back"
      about="What is still here comes no second time, and what a deletion has removed does not come at all."
      acts={useActs("rehydrations")}
      submit={cost === undefined ? "Count them first" : "Bring them back"}
      disabled={connection === "" || from === "" || to === "" || !daysFine || cost?.events === 0}
      work={async () => {
        if (cost === undefined) return post<Cost>("/rehydrations/preview", body);
        await post("/rehydrations", body);
        return undefined;
      }}
      onDone={(counted) => (counted === undefined ? onClose() : setCost(counted))}
      onClose={onClose}
    >
      <Field label="Bucket">
        {(ids) => (
          <select {...ids} className="input" value={connection} onChange={change(setConnection)}>
            {connections.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="First day" hint="Of the events' own time, in UTC">
        {(ids) => <Input {...ids} type="date" value={from} onChange={change(setFrom)} />}
      </Field>
      <Field label="Last day" hint="92 days at most">
        {(ids) => <Input {...ids} type="date" value={to} onChange={change(setTo)} />}
      </Field>
      <Field label="Query" hint="Optional: only what it finds, as in Explore">
        {(ids) => <Input {...ids} className="mono" value={query} onChange={change(setQuery)} />}
      </Field>
      <Field label="Days that they stay" error={daysFine ? undefined : "1 to 30 days."}>
        {(ids) => <Input {...ids} inputMode="numeric" value={days} onChange={change(setDays)} />}
      </Field>
      {cost === undefined ? null : (
        <p role="status">
          <strong className="figure">{number.format(cost.events)}</strong> events, about {formatBytes(cost.bytes)},
          until {cost.until}. The bucket's provider may charge for reading them.
        </p>
      )}
    </ActDialog>
  );
};
