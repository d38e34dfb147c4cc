/** Connects a bucket in three steps: where it is, what a key may do there and the key, how long events live in it. */
import { type StorageKind, storageKinds } from "@astralog/schemas/storage";
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { post } from "../api/client.ts";
import { Field, Input } from "../ui/controls.tsx";
import { Snippet } from "../ui/snippet.tsx";
import { type KeyedConnection, kindWords, policyText, useIdentity } from "./buckets-data.ts";
import { type ClientKeyChoice, ClientKeyFields, clientKeyOf, isClientKeyComplete } from "./client-key.tsx";

const steps = ["Where it is", "What opens it", "What is kept there"] as const;

const regionHints: Readonly<Record<StorageKind, string>> = {
  s3: "The bucket's, such as eu-central-1",
  r2: "Optional: auto",
  gcs: "Optional: auto",
  compatible: "Optional, as the server is set up; us-east-1 if nothing else is known",
};

const empty = {
  ...{ name: "archive", kind: "s3" as StorageKind, endpoint: "", region: "", bucket: "", prefix: "astralog/" },
  ...{ access_key_id: "", secret_access_key: "", role_arn: "", retention_days: "" },
};

interface NewBucketProps {
  readonly onMade: (made: KeyedConnection) => void;
  readonly onClose: () => void;
}

export const NewBucket = ({ onMade, onClose }: NewBucketProps) => {
  const [step, setStep] = useState(0);
  const [given, setGiven] = useState(empty);
  const [byRole, setByRole] = useState(false);
  const [clientKey, setClientKey] = useState<ClientKeyChoice>({ by: "nobody", key: "" });
  const identity = useIdentity().data;
  const acts = useActs("connections", "archives", "places");
  const set = (changes: Partial<typeof empty>): void => setGiven((before) => ({ ...before, ...changes }));
  const { name, kind, endpoint, region, bucket, prefix } = given;
  // Only Amazon gives sessions of roles, and only to an installation that is somebody there.
  const mayRole = kind === "s3" && identity?.principal != null;
  const role = mayRole && byRole;
  const asksEndpoint = kind === "r2" || kind === "compatible";
  const daysFine = given.retention_days === "" || /^[1-9]\d{0,3}$/.test(given.retention_days);
  const complete = [
    name.trim() !== "" && bucket !== "" && (!asksEndpoint || endpoint !== "") && (kind !== "s3" || region !== ""),
    role ? given.role_arn !== "" : given.access_key_id !== "" && given.secret_access_key !== "",
    daysFine && isClientKeyComplete(clientKey),
  ];
  const last = step === steps.length - 1;
  const text = (label: string, key: keyof typeof empty, more: { hint?: string; type?: string } = {}) => (
    <Field label={label} hint={more.hint}>
      {(ids) => (
        <Input
          {...ids}
          className={key === "name" ? "" : "mono"}
          type={more.type ?? "text"}
          value={given[key]}
          onChange={(event) => set({ [key]: event.target.value.trim() })}
        />
      )}
    </Field>
  );
  return (
    <ActDialog
      title="Connect a bucket"
      about={`Step ${step + 1} of ${steps.length}: ${steps[step]}`}
      acts={acts}
      wide
      submit={last ? "Try it and connect" : "Next"}
      keep={step === 0 ? "Cancel" : "Back"}
      disabled={complete[step] !== true}
      work={async () => {
        if (!last) return undefined;
        return post<KeyedConnection>("/storage/connections", {
          ...{ name: name.trim(), kind, bucket, prefix },
          ...(role
            ? { role_arn: given.role_arn }
            : { access_key_id: given.access_key_id, secret_access_key: given.secret_access_key }),
          ...(asksEndpoint ? { endpoint } : {}),
          ...(region === "" ? {} : { region }),
          retention_days: given.retention_days === "" ? null : Number(given.retention_days),
          ...(clientKey.by === "nobody" ? {} : { client_encryption: true, ...clientKeyOf(clientKey) }),
        });
      }}
      onDone={(made) => (made === undefined ? setStep(step + 1) : onMade(made))}
      onClose={() => (step === 0 ? onClose() : setStep(step - 1))}
    >
      {step === 0 ? (
        <>
          <NameField value={name} onChange={(value) => set({ name: value })} />
          <Field label="Kind">
            {(ids) => (
              <select
                {...ids}
                className="input"
                value={kind}
                onChange={(event) => set({ kind: event.target.value as StorageKind })}
              >
                {storageKinds.map((one) => (
                  <option key={one} value={one}>
                    {kindWords[one]}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {asksEndpoint
            ? text("Address of the server", "endpoint", { hint: "https://s3.example.com, without a path" })
            : null}
          {text("Region", "region", { hint: regionHints[kind] })}
          {text("Bucket", "bucket")}
          {text("Folder", "prefix", { hint: "Everything stays below it; with a slash at its end, or empty" })}
        </>
      ) : null}
      {step === 1 ? (
        <>
          {mayRole ? (
            <fieldset className="choices">
              <legend>Opened by</legend>
              {([false, true] as const).map((one) => (
                <label key={String(one)} className="choice">
                  <input type="radio" name="opened" checked={role === one} onChange={() => setByRole(one)} />
                  <span>{one ? "A role that this installation takes" : "A key"}</span>
                </label>
              ))}
            </fieldset>
          ) : null}
          <p className="soft small">
            Make a {role ? "role" : "key"} that may do this and no more
            {kind === "gcs" ? " (an HMAC key of a service account)" : ""}:
          </p>
          <Snippet text={policyText(bucket, prefix)} />
          {role ? (
            <>
              <p className="soft small">and that trusts this installation, for your organization alone:</p>
              <Snippet text={JSON.stringify(identity?.trust_policy, null, 2)} />
              {text("ARN of the role", "role_arn", { hint: "arn:aws:iam::123456789012:role/…; no key is kept here" })}
            </>
          ) : (
            <>
              {text("Access key id", "access_key_id")}
              {text("Secret access key", "secret_access_key", {
                type: "password",
                hint: "It is sealed and never shown again, to nobody",
              })}
            </>
          )}
        </>
      ) : null}
      {last ? (
        <>
          {text("Days that an event lives there", "retention_days", {
            hint: "Counted from its receipt, whatever Astralog itself keeps; empty: as long as you leave it there",
          })}
          <ClientKeyFields value={clientKey} onChange={setClientKey} />
          {daysFine ? null : <p className="field-note is-wrong">1 to 3650 days, or nothing.</p>}
          <p className="soft small">
            Before it is kept, one small object is written, written again (which must be refused), read, listed and
            deleted. What is lacking is named. Then what Kafka still has, up to four days, is archived first.
          </p>
        </>
      ) : null}
    </ActDialog>
  );
};
