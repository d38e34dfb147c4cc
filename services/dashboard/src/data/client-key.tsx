/** Encryption of a bucket's objects before they leave Astralog: whether, under whose key, and another key. A made one is shown once. */
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { post } from "../api/client.ts";
import { Button, CopyButton, Field, Input } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import type { Connection, KeyedConnection } from "./buckets-data.ts";

export interface ClientKeyChoice {
  readonly by: "nobody" | "made" | "given";
  readonly key: string;
}

const words = {
  nobody: "No: events there can be searched in place, and the bucket's keeper could read them",
  made: "Under a key that is made here and shown once",
  given: "Under a key of your own",
} as const;

export const isClientKeyComplete = ({ by, key }: ClientKeyChoice): boolean =>
  by !== "given" || /^[A-Za-z0-9+/]{43}=$/.test(key);

/** As the api takes it. */
export const clientKeyOf = ({ by, key }: ClientKeyChoice): object => (by === "given" ? { client_key: key } : {});

interface Choosing {
  readonly value: ClientKeyChoice;
  readonly onChange: (value: ClientKeyChoice) => void;
}

const KeyField = ({ value, onChange }: Choosing) =>
  value.by === "given" ? (
    <Field
      label="Client key"
      hint="32 random bytes in base64, as openssl rand -base64 32 prints; it is sealed and never shown again"
      error={value.key === "" || isClientKeyComplete(value) ? undefined : "That is not 32 bytes in base64."}
    >
      {(ids) => (
        <Input
          {...ids}
          className="mono"
          type="password"
          value={value.key}
          onChange={(event) => onChange({ ...value, key: event.target.value.trim() })}
        />
      )}
    </Field>
  ) : null;

const Choices = ({
  legend,
  of,
  value,
  onChange,
}: Choosing & { legend: string; of: readonly ClientKeyChoice["by"][] }) => (
  <fieldset className="choices">
    <legend>{legend}</legend>
    {of.map((by) => (
      <label key={by} className="choice">
        <input type="radio" name="client-key" checked={value.by === by} onChange={() => onChange({ ...value, by })} />
        <span>{words[by]}</span>
      </label>
    ))}
  </fieldset>
);

export const ClientKeyFields = ({ value, onChange }: Choosing) => (
  <>
    <Choices
      legend="Encrypted before it leaves Astralog"
      of={["nobody", "made", "given"]}
      value={value}
      onChange={onChange}
    />
    <KeyField value={value} onChange={onChange} />
    {value.by === "nobody" ? null : (
      <p className="soft small">
        The bucket's keeper then sees names, sizes and times alone. To search, days are brought back first; whoever has
        the key reads the bucket without Astralog. This cannot be changed later.
      </p>
    )}
  </>
);

export const ClientKeyShown = ({ of, onClose }: { of: KeyedConnection; onClose: () => void }) => (
  <Modal
    open
    firm
    onClose={onClose}
    title={`The client key of ${of.name}`}
    about="This is the only time it is shown. Keep it: with it you read the bucket without Astralog, and without Astralog there is no other way."
  >
    <div className="stack">
      <div className="secret">
        <code className="grow">{of.client_key}</code>
        <CopyButton text={of.client_key ?? ""} />
      </div>
      <p className="soft small">
        Key <span className="mono">{of.client_keys[0]?.id}</span>. astralog storage decrypt takes it in a file.
      </p>
      <div className="row end">
        <Button onClick={onClose}>I have stored it</Button>
      </div>
    </div>
  </Modal>
);

export const RenewClientKey = ({
  of,
  onMade,
  onClose,
}: {
  of: Connection;
  onMade: (made: KeyedConnection) => void;
  onClose: () => void;
}) => {
  const [choice, setChoice] = useState<ClientKeyChoice>({ by: "made", key: "" });
  return (
    <ActDialog
      title={`Another client key for ${of.name}`}
      about="New objects are encrypted under it. Those that are there keep theirs and stay readable: keep the keys before it, too."
      acts={useActs("connections")}
      submit="Change the key"
      disabled={!isClientKeyComplete(choice)}
      work={() => post<KeyedConnection>(`/storage/connections/${of.id}/client-keys`, clientKeyOf(choice))}
      onDone={onMade}
      onClose={onClose}
    >
      <Choices legend="The new key" of={["made", "given"]} value={choice} onChange={setChoice} />
      <KeyField value={choice} onChange={setChoice} />
    </ActDialog>
  );
};
