/** The ways in: a link by mail, a passkey, whatever providers there are, and a query key. */
import { startAuthentication } from "@simplewebauthn/browser";
import { Building2, KeyRound, LogIn, Mail } from "lucide-react";
import { useState } from "react";
import { post } from "../api/client.ts";
import { setKey } from "../api/key.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { EmailField } from "./fields.tsx";
import { Frame, Wrong } from "./frame.tsx";
import { type Methods, type SignedIn, useArrive, useMethods } from "./session.ts";
import { asksForMail, signInProblem } from "./sign-in-problem.ts";
import { useWork } from "./use-work.ts";
import "./account.css";

export const Door = ({ onKey }: { onKey: () => void }) => {
  const [sentTo, setSentTo] = useState<string>();
  const methods = useMethods();
  const publicUrl = methods.data?.public_url ?? location.origin;
  if (sentTo !== undefined) return <CheckMail email={sentTo} onBack={() => setSentTo(undefined)} />;
  return (
    <Frame title="Sign in to Astralog">
      {publicUrl === location.origin ? (
        <People onSent={setSentTo} providers={methods.data?.providers ?? []} />
      ) : (
        <p className="soft">
          People sign in at <a href={publicUrl}>{publicUrl.replace(/^https?:\/\//, "")}</a>: browsers keep sessions and
          passkeys for that name only. A query key works here, too.
        </p>
      )}
      <p className="door-or">or with a key</p>
      <KeyForm onKey={onKey} />
    </Frame>
  );
};

const People = ({ onSent, providers }: { onSent: (email: string) => void; providers: Methods["providers"] }) => {
  const [email, setEmail] = useState("");
  const { busy, wrong, run } = useWork(() => signInProblem(location.search));
  const arrive = useArrive();
  const byPasskey = () =>
    run(async () => {
      const optionsJSON = await post<Parameters<typeof startAuthentication>[0]["optionsJSON"]>("/auth/passkey/options");
      await post<SignedIn>("/auth/passkey", { answer: await startAuthentication({ optionsJSON }) });
      await arrive();
    }, "passkey");
  const bySso = () =>
    run(async () => {
      location.assign((await post<{ redirect: string }>("/auth/sso", { email })).redirect);
    }, "sso");
  return (
    <>
      {asksForMail(location.search) ? (
        <p role="status">
          Somebody has this e-mail address here already. Open the link that was just sent there, in this browser, to
          show that it is you.
        </p>
      ) : null}
      <form
        className="stack door-form"
        onSubmit={(event) => {
          event.preventDefault();
          void run(async () => {
            await post("/auth/link", { email });
            onSent(email.trim());
          }, "mail");
        }}
      >
        <EmailField value={email} onChange={setEmail} autoComplete="username webauthn" />
        <Button type="submit" look="primary" busy={busy === "mail"} icon={<Mail size={15} />}>
          Send me a link
        </Button>
      </form>
      <div className="door-ways">
        <Button onClick={() => void byPasskey()} busy={busy === "passkey"} icon={<KeyRound size={15} />}>
          Use a passkey
        </Button>
        <Button
          onClick={() => void bySso()}
          busy={busy === "sso"}
          disabled={email.trim() === ""}
          icon={<Building2 size={15} />}
        >
          Single sign-on of your organization
        </Button>
        {providers.map(({ id, name, url }) => (
          <Button key={id} onClick={() => location.assign(url)} icon={<LogIn size={15} />}>
            Continue with {name}
          </Button>
        ))}
      </div>
      <Wrong>{wrong}</Wrong>
    </>
  );
};

const CheckMail = ({ email, onBack }: { email: string; onBack: () => void }) => (
  <Frame
    title="Check your mail"
    about={
      <>
        If <b>{email}</b> belongs to somebody here, a link is on its way. It works for ten minutes, once, in this
        browser.
      </>
    }
  >
    <p className="soft small">
      Nothing after a minute? Look among the spam, and whether the address is the one you were invited with.
    </p>
    <Button onClick={onBack}>Another address, or another way</Button>
  </Frame>
);

const KeyForm = ({ onKey }: { onKey: () => void }) => {
  const [key, setText] = useState("");
  const wrong = key !== "" && !key.trim().startsWith("al_qry_") ? "A query key begins with al_qry_." : undefined;
  return (
    <form
      className="stack door-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() === "" || wrong !== undefined) return;
        setKey(key.trim());
        onKey();
      }}
    >
      <Field
        label="Query key"
        error={wrong}
        hint="Reads events, and nothing else. This tab keeps it until it is closed."
      >
        {(ids) => (
          <Input
            {...ids}
            type="password"
            placeholder="al_qry_…"
            value={key}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit">Open</Button>
    </form>
  );
};
