/** Making, rotating and revoking keys. A key is shown once; what cannot be taken back asks for a word. */
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs } from "../account/acts.tsx";
import { post, remove } from "../api/client.ts";
import type { Scope } from "../team/data.ts";
import { ScopePicker } from "../team/pickers.tsx";
import { Button, CopyButton, Field, Input } from "../ui/controls.tsx";
import { OverlapField } from "../ui/overlap-field.tsx";
import { Modal } from "../ui/overlays.tsx";
import type { Key, MadeKey, NewKey, Source } from "./data.ts";
import { KeyPermissions } from "./key-permissions.tsx";
import { SourceField } from "./source-field.tsx";

export const maskOf = ({ prefix, last4 }: Pick<Key, "prefix" | "last4">): string => `${prefix}…${last4}`;
export const labelOf = (key: Key): string => key.name || maskOf(key);

const kinds = [
  ["ingest", "Sends events of one source"],
  ["query", "Searches and watches events"],
  ["admin", "Manages sources and keys, proves what is stored"],
] as const;

const lives = [
  [0, "never"],
  [7, "in a week"],
  [30, "in 30 days"],
  [90, "in 90 days"],
  [365, "in a year"],
] as const;

interface Closing {
  readonly onClose: () => void;
}
interface Making extends Closing {
  readonly onMade: (made: MadeKey) => void;
}

const dayMs = 86_400_000;

export const NewKeyDialog = ({
  sources,
  source: given,
  onMade,
  onClose,
}: Making & { sources: readonly Source[]; source?: string }) => {
  const [kind, setKind] = useState<Key["kind"]>("ingest");
  const [source, setSource] = useState(given ?? sources[0]?.id ?? "");
  const [name, setName] = useState("");
  const [days, setDays] = useState(0);
  const [addresses, setAddresses] = useState("");
  const [scope, setScope] = useState<Scope>(null);
  const [permissions, setPermissions] = useState<readonly string[]>();
  const listed = addresses.split(/[\s,;]+/).filter((one) => one !== "");
  const chosen = kind === "admin" ? permissions : undefined;
  const seen = kind === "ingest" ? null : scope;
  const asked = (): NewKey => ({
    kind,
    ...(name.trim() === "" ? {} : { name: name.trim() }),
    ...(kind === "ingest" ? { source } : {}),
    ...(days === 0 ? {} : { expires_at: new Date(Date.now() + days * dayMs).toISOString() }),
    ...(listed.length === 0 ? {} : { ip_allowlist: listed }),
    ...(seen === null ? {} : { sources: seen }),
    ...(chosen === undefined ? {} : { permissions: chosen }),
  });
  return (
    <ActDialog
      title="New key"
      acts={useActs("keys")}
      submit="Make the key"
      disabled={(kind === "ingest" && source === "") || seen?.length === 0 || chosen?.length === 0}
      work={() => post<MadeKey>("/keys", asked())}
      onDone={onMade}
      onClose={onClose}
    >
      <fieldset className="choices">
        <legend>What it may do</legend>
        {kinds.map(([one, about]) => (
          <label key={one} className="choice">
            <input type="radio" name="kind" checked={kind === one} onChange={() => setKind(one)} />
            <span>
              <strong>{one}</strong> <span className="soft">{about}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {kind === "ingest" ? <SourceField sources={sources} value={source} onChange={setSource} /> : null}
      <Field label="Name" hint="What will tell it apart later: a place, a program">
        {(ids) => <Input {...ids} maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Ends">
        {(ids) => (
          <select {...ids} className="input" value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {lives.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Works only from" hint="Addresses or CIDR blocks such as 10.0.0.0/8; empty: from anywhere">
        {(ids) => <Input {...ids} value={addresses} onChange={(event) => setAddresses(event.target.value)} />}
      </Field>
      {kind === "ingest" ? null : (
        <ScopePicker label={kind === "query" ? "Sees the events of" : "Reaches"} value={scope} onChange={setScope} />
      )}
      {kind === "admin" ? <KeyPermissions value={permissions} onChange={setPermissions} /> : null}
    </ActDialog>
  );
};

/** Closed only by saying that it was kept. */
export const KeyShown = ({ made, onClose }: Closing & { made: MadeKey }) => (
  <Modal
    open
    firm
    onClose={onClose}
    title="Your new key"
    about="This is the only time it is shown. Only its hash is stored, so nobody can show it again."
  >
    <div className="stack">
      <div className="secret">
        <code className="grow">{made.key}</code>
        <CopyButton text={made.key} />
      </div>
      <p className="soft small">
        {made.kind} key{made.name === "" ? "" : `, ${made.name}`}. It works within a second.
      </p>
      <div className="row end">
        <Button onClick={onClose}>I have stored it</Button>
      </div>
    </div>
  </Modal>
);

export const RotateDialog = ({ of: key, onMade, onClose }: Making & { of: Key }) => {
  const [overlap, setOverlap] = useState(86_400);
  return (
    <ActDialog
      title={`Rotate ${labelOf(key)}`}
      about="Makes a new key with the same rights. The old one goes on for a while, so that you can replace it without a gap."
      acts={useActs("keys")}
      submit="Rotate"
      work={() => post<MadeKey>(`/keys/${key.id}/rotate`, { overlap_seconds: overlap })}
      onDone={onMade}
      onClose={onClose}
    >
      <OverlapField label="The old key goes on for" value={overlap} onChange={setOverlap} />
    </ActDialog>
  );
};

export const RevokeDialog = ({ of: key, onClose }: Closing & { of: Key }) => (
  <ConfirmDialog
    title={`Revoke ${labelOf(key)}`}
    about="Whoever uses it is refused within a second, and it cannot be brought back. What it sent stays."
    word={key.name || key.last4}
    acts={useActs("keys")}
    submit="Revoke"
    work={() => remove(`/keys/${key.id}`)}
    onClose={onClose}
  />
);
