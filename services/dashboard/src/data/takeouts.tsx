/** Everything of the organization as files: asked for, followed, taken along; and what was brought in from elsewhere. */
import { Download, PackageOpen } from "lucide-react";
import { useState } from "react";
import { ActDialog, useActs, useMay } from "../account/acts.tsx";
import { post, remove } from "../api/client.ts";
import { Button, Field } from "../ui/controls.tsx";
import { MenuItem, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo, formatBytes, number } from "../ui/time.ts";
import { useConnections } from "./buckets-data.ts";
import { useServers } from "./servers-data.ts";
import { TakeoutFiles } from "./takeout-files.tsx";
import {
  type Takeouts as Answer,
  isOpen,
  partWords,
  type Takeout,
  takeoutParts,
  useImports,
  useTakeouts,
} from "./takeouts-data.ts";

const stateWords: Readonly<Record<Takeout["state"], string>> = {
  waiting: "waits for what is on its way",
  running: "being written",
  done: "ready",
  failed: "failed",
  cancelled: "cancelled",
  deleted: "gone with a deletion",
  expired: "past its days",
};

type Open = { readonly kind: "new" } | { readonly kind: "files" | "end"; readonly id: string };

export const Takeouts = () => {
  const takeouts = useTakeouts();
  const may = useMay()("takeouts.write");
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const all = takeouts.data?.takeouts ?? [];
  const chosen = open === undefined || open.kind === "new" ? undefined : all.find(({ id }) => id === open.id);
  return (
    <>
      <Section
        title="Take everything out"
        about="Events, configuration and the audit trail as files in open formats, under one signed manifest. Any Astralog can bring them in again."
        act={
          may ? (
            <Button
              small
              look="primary"
              icon={<PackageOpen size={14} />}
              disabled={all.some(isOpen)}
              onClick={() => setOpen({ kind: "new" })}
            >
              New takeout
            </Button>
          ) : null
        }
      >
        <Read from={takeouts} what="the takeouts">
          {() =>
            all.length === 0 ? (
              <p className="soft small">
                Nothing was taken out yet. It is written in the background, and kept for some days.
              </p>
            ) : (
              <List heads={["Takeout", "State", "#Events", "-#Size", "-Kept until", ""]}>
                {all.map((one) => (
                  <Row key={one.id} of={one} may={may} onOpen={setOpen} />
                ))}
              </List>
            )
          }
        </Read>
        {open?.kind === "new" && takeouts.data !== undefined ? <NewTakeout of={takeouts.data} onClose={close} /> : null}
        {open?.kind === "files" && chosen !== undefined ? <TakeoutFiles of={chosen} onClose={close} /> : null}
        {open?.kind === "end" && chosen !== undefined ? <End of={chosen} onClose={close} /> : null}
      </Section>
      <Imports />
    </>
  );
};

const Row = ({ of: one, may, onOpen }: { of: Takeout; may: boolean; onOpen: (open: Open) => void }) => (
  <tr>
    <td>
      <span className="mono small">{one.id}</span>
      <div className="faint small">{formatAgo(one.created_at)}</div>
    </td>
    <td>
      <span className={one.state === "done" ? "good" : one.state === "failed" ? "warn" : "soft"}>
        {stateWords[one.state]}
      </span>
      {isOpen(one) && one.events !== null ? (
        <progress
          className="takeout-progress"
          aria-label={`Events of ${one.id} that are written`}
          max={Math.max(one.events, 1)}
          value={one.events_done}
        />
      ) : null}
      {one.problem === "" ? null : <div className="faint small break">{one.problem}</div>}
    </td>
    <td className="number figures">
      {one.events === null
        ? ""
        : isOpen(one)
          ? `${number.format(one.events_done)} of ${number.format(one.events)}`
          : number.format(one.events)}
    </td>
    <td className="wide-only number figures">{one.bytes === 0 ? "" : formatBytes(one.bytes)}</td>
    <td className="wide-only soft">{one.state === "done" ? one.expires_at.slice(0, 10) : ""}</td>
    <td className="acts">
      {one.state === "done" || (may && isOpen(one)) ? (
        <RowMenu label={`Acts on ${one.id}`}>
          {one.state === "done" ? (
            <MenuItem onSelect={() => onOpen({ kind: "files", id: one.id })}>
              <Download size={14} aria-hidden /> Files
            </MenuItem>
          ) : null}
          {may ? (
            <MenuItem onSelect={() => onOpen({ kind: "end", id: one.id })}>
              {one.state === "done" ? "Remove its files" : "Cancel it"}
            </MenuItem>
          ) : null}
        </RowMenu>
      ) : null}
    </td>
  </tr>
);

const End = ({ of: one, onClose }: { of: Takeout; onClose: () => void }) => {
  const acts = useActs("takeouts");
  const done = one.state === "done";
  return (
    <ActDialog
      title={done ? "Remove its files" : "Cancel the takeout"}
      about={
        done
          ? "What was fetched stays with whoever did. Another takeout can be made at any time."
          : "What is written of it is removed. Another one can be begun at once."
      }
      acts={acts}
      submit={done ? "Remove them" : "Cancel it"}
      keep="Keep it"
      danger
      work={() => remove(`/takeouts/${one.id}`)}
      onClose={onClose}
    />
  );
};

const NewTakeout = ({ of: { operator_store: kept, days }, onClose }: { of: Answer; onClose: () => void }) => {
  const acts = useActs("takeouts");
  const [parts, setParts] = useState<readonly string[]>(takeoutParts);
  const [connection, setConnection] = useState("");
  const connections = useConnections().data?.connections ?? [];
  const home = useServers().data?.connections.find(({ mode }) => mode === "instead");
  return (
    <ActDialog
      title="Take everything out"
      about={`All that was acknowledged until now. Its files are kept for ${days} days.`}
      acts={acts}
      submit="Begin"
      disabled={parts.length === 0 || (!kept && connection === "")}
      work={() => post("/takeouts", { parts, connection: connection === "" ? null : connection })}
      onClose={onClose}
    >
      <fieldset className="choices">
        <legend>What</legend>
        {takeoutParts.map((part) => (
          <label key={part} className="choice">
            <input
              type="checkbox"
              checked={parts.includes(part)}
              onChange={(event) =>
                setParts(event.target.checked ? [...parts, part] : parts.filter((one) => one !== part))
              }
            />
            <span>
              {partWords[part][0]}
              <span className="faint small"> {partWords[part][1]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {home === undefined ? null : (
        <p className="soft small">
          What lives on your own ClickHouse <strong>{home.name}</strong> alone is not in it: it is on your server
          already.
        </p>
      )}
      {kept && connections.length === 0 ? null : (
        <Field label="Where" hint={kept ? "" : "The operator keeps none here; connect a bucket of your own first"}>
          {(ids) => (
            <select
              {...ids}
              className="input"
              value={connection}
              onChange={(event) => setConnection(event.target.value)}
            >
              <option value="">{kept ? "here, to be fetched" : "choose a bucket"}</option>
              {connections.map(({ id, name }) => (
                <option key={id} value={id}>
                  your bucket {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </ActDialog>
  );
};

/** Shown once there is one: it is brought in by the command. */
const Imports = () => {
  const all = useImports().data?.imports ?? [];
  if (all.length === 0) return null;
  return (
    <Section
      title="Brought in"
      about="Takeouts of other Astralogs, compared row by row with what they were said to be."
    >
      <List heads={["Of", "State", "#Events", "-Begun"]}>
        {all.map((one) => {
          const open = one.notes.filter(({ outcome }) => outcome === "secret" || outcome === "refused").length;
          return (
            <tr key={one.id}>
              <td>
                <strong className="break">{one.organization.name}</strong>
                <div className="faint small mono">{one.takeout}</div>
              </td>
              <td>
                {one.result === null ? (
                  <span className="soft">under way</span>
                ) : one.result.ok ? (
                  <span className="good">all is there</span>
                ) : (
                  <span className="warn">not all is there</span>
                )}
                {open === 0 ? null : (
                  <div className="faint small">{number.format(open)} entries are to be made by hand</div>
                )}
              </td>
              <td className="number figures">
                {number.format((one.result?.sources ?? []).reduce((sum, { found }) => sum + found, 0))}
              </td>
              <td className="wide-only soft">{formatAgo(one.created_at)}</td>
            </tr>
          );
        })}
      </List>
    </Section>
  );
};
