/** The second factors of one's own account: an authenticator app, passkeys, recovery codes. */
import { startRegistration } from "@simplewebauthn/browser";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post, remove } from "../api/client.ts";
import { Button, CopyButton, Field, Input } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { formatAgo } from "../ui/time.ts";
import { Wrong } from "./frame.tsx";
import { Qr } from "./qr.tsx";
import { type Me, meKey, type Passkey } from "./session.ts";
import { useStepUp } from "./step-up.tsx";
import { useWork } from "./use-work.ts";

interface WithCodes {
  readonly recovery_codes: readonly string[];
}

export const Factors = ({ me }: { me: Me }) => {
  const client = useQueryClient();
  const [guard, dialog] = useStepUp(me);
  const [app, setApp] = useState<{ secret: string; uri: string }>();
  const [naming, setNaming] = useState(false);
  const [removing, setRemoving] = useState<Passkey | "app">();
  const [codes, setCodes] = useState<readonly string[]>([]);
  const { wrong, run: work } = useWork();
  const { totp, passkeys, recovery_codes: left } = me.factors;

  const changed = async (made: readonly string[] = []): Promise<void> => {
    setCodes(made);
    await Promise.all([
      client.invalidateQueries({ queryKey: meKey }),
      client.invalidateQueries({ queryKey: ["sessions"] }),
    ]);
  };
  const run = (what: () => Promise<unknown>) => work(() => guard(what));

  return (
    <section className="account-part" aria-labelledby="factors">
      <h2 id="factors">Second factors</h2>
      <p className="soft">
        {totp === null && passkeys.length === 0
          ? "Whoever reads your mail can sign in as you. A passkey or an authenticator app ends that."
          : "Signing in by mail asks for one of these. A passkey also signs in by itself."}
      </p>
      <ul className="account-list">
        {passkeys.map((one) => (
          <li key={one.id}>
            <span className="grow">
              <b>{one.name}</b>
              <span className="soft small">
                Passkey, {one.synced ? "in several devices" : "in one device"}, added {formatAgo(one.created_at)},{" "}
                {one.used_at === null ? "not used yet" : `used ${formatAgo(one.used_at)}`}
              </span>
            </span>
            <Button small onClick={() => setRemoving(one)} aria-label={`Remove the passkey ${one.name}`}>
              Remove
            </Button>
          </li>
        ))}
        {totp === null ? null : (
          <li>
            <span className="grow">
              <b>Authenticator app</b>
              <span className="soft small">Added {formatAgo(totp)}</span>
            </span>
            <Button small onClick={() => setRemoving("app")} aria-label="Remove the authenticator app">
              Remove
            </Button>
          </li>
        )}
        {totp === null && passkeys.length === 0 ? null : (
          <li>
            <span className="grow">
              <b>Recovery codes</b>
              <span className="soft small">{left} of 10 left</span>
            </span>
            <Button
              small
              onClick={() =>
                void run(async () => changed((await post<WithCodes>("/me/recovery-codes")).recovery_codes))
              }
            >
              Make new ones
            </Button>
          </li>
        )}
      </ul>
      <div className="row wrap">
        <Button look={passkeys.length === 0 ? "primary" : "plain"} onClick={() => setNaming(true)}>
          Add a passkey
        </Button>
        {totp === null ? (
          <Button onClick={() => void run(async () => setApp(await post<{ secret: string; uri: string }>("/me/totp")))}>
            Add an authenticator app
          </Button>
        ) : null}
      </div>
      <Wrong>{wrong}</Wrong>

      <AddPasskey
        open={naming}
        onClose={() => setNaming(false)}
        onAdd={async (name, endOthers) => {
          const made = await guard(async () => {
            const optionsJSON =
              await post<Parameters<typeof startRegistration>[0]["optionsJSON"]>("/me/passkeys/options");
            const answer = await startRegistration({ optionsJSON });
            return post<WithCodes>("/me/passkeys", { name, answer, end_other_sessions: endOthers });
          });
          setNaming(false);
          await changed(made.recovery_codes);
        }}
      />
      {app === undefined ? null : (
        <AddApp
          {...app}
          onClose={() => setApp(undefined)}
          onAdd={async (code, endOthers) => {
            const made = await post<WithCodes>("/me/totp/confirm", { code, end_other_sessions: endOthers });
            setApp(undefined);
            await changed(made.recovery_codes);
          }}
        />
      )}
      {removing === undefined ? null : (
        <Remove
          what={removing === "app" ? "the authenticator app" : `the passkey “${removing.name}”`}
          onClose={() => setRemoving(undefined)}
          onRemove={async (endOthers) => {
            const path = removing === "app" ? "/me/totp" : `/me/passkeys/${encodeURIComponent(removing.id)}`;
            await guard(() => remove(`${path}?end_other_sessions=${endOthers}`));
            setRemoving(undefined);
            await changed();
          }}
        />
      )}
      <Codes codes={codes} onClose={() => setCodes([])} />
      {dialog}
    </section>
  );
};

const EndOthers = ({ on, set }: { on: boolean; set: (on: boolean) => void }) => (
  <label className="check">
    <input type="checkbox" checked={on} onChange={(event) => set(event.target.checked)} />
    <span>End my other sessions as well</span>
  </label>
);

/** A small form in a dialog, with what went wrong in it. */
const useForm = (work: () => Promise<void>) => {
  const { busy, wrong, run } = useWork();
  const submit = (event: { preventDefault(): void }): void => {
    event.preventDefault();
    void run(work);
  };
  return { busy: busy !== undefined, wrong, submit };
};

const AddPasskey = (props: {
  open: boolean;
  onClose: () => void;
  onAdd: (name: string, endOthers: boolean) => Promise<void>;
}) => {
  const [name, setName] = useState("This device");
  const [endOthers, setEndOthers] = useState(false);
  const { busy, wrong, submit } = useForm(() => props.onAdd(name, endOthers));
  return (
    <Modal
      open={props.open}
      onClose={props.onClose}
      title="Add a passkey"
      about="Your device will ask for a finger, a face or a PIN."
    >
      <form className="stack" onSubmit={submit}>
        <Field label="Name" hint="So that you know it again.">
          {(ids) => (
            <Input {...ids} required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <EndOthers on={endOthers} set={setEndOthers} />
        <Wrong>{wrong}</Wrong>
        <Button type="submit" look="primary" busy={busy}>
          Ask the device
        </Button>
      </form>
    </Modal>
  );
};

const AddApp = (props: {
  secret: string;
  uri: string;
  onClose: () => void;
  onAdd: (code: string, endOthers: boolean) => Promise<void>;
}) => {
  const [code, setCode] = useState("");
  const [endOthers, setEndOthers] = useState(false);
  const { busy, wrong, submit } = useForm(() => props.onAdd(code, endOthers));
  return (
    <Modal
      open
      onClose={props.onClose}
      title="Add an authenticator app"
      about="Scan this with the app, then type what it shows."
    >
      <form className="stack" onSubmit={submit}>
        <Qr text={props.uri} label="QR code of the secret that stands below it" />
        <p className="secret">
          <code>{props.secret.replace(/.{4}(?=.)/g, "$& ")}</code>
          <CopyButton text={props.secret} label="Copy the secret" />
        </p>
        <Field label="Code of the app">
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              required
              inputMode="numeric"
              autoComplete="one-time-code"
              maxLength={7}
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          )}
        </Field>
        <EndOthers on={endOthers} set={setEndOthers} />
        <Wrong>{wrong}</Wrong>
        <Button type="submit" look="primary" busy={busy}>
          Add it
        </Button>
      </form>
    </Modal>
  );
};

const Remove = (props: { what: string; onClose: () => void; onRemove: (endOthers: boolean) => Promise<void> }) => {
  const [endOthers, setEndOthers] = useState(false);
  const { busy, wrong, submit } = useForm(() => props.onRemove(endOthers));
  return (
    <Modal open onClose={props.onClose} title={`Remove ${props.what}?`} about="It will no longer help to sign in.">
      <form className="stack" onSubmit={submit}>
        <EndOthers on={endOthers} set={setEndOthers} />
        <Wrong>{wrong}</Wrong>
        <div className="row">
          <Button type="submit" look="danger" busy={busy}>
            Remove it
          </Button>
          <Button onClick={props.onClose}>Keep it</Button>
        </div>
      </form>
    </Modal>
  );
};

const Codes = ({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) => (
  <Modal
    open={codes.length > 0}
    onClose={onClose}
    firm
    title="Your recovery codes"
    about="For the day the device is gone. Each works once. They are shown now and never again: keep them where you keep passwords."
  >
    <ol className="codes mono">
      {codes.map((code) => (
        <li key={code}>{code}</li>
      ))}
    </ol>
    <div className="row">
      <CopyButton text={codes.join("\n")} label="Copy all" small={false} />
      <Button look="primary" onClick={onClose}>
        I have kept them
      </Button>
    </div>
  </Modal>
);
