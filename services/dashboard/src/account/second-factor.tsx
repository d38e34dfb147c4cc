/** Showing a second factor: the page after a sign-in, and the dialog before something dangerous. */
import { startAuthentication } from "@simplewebauthn/browser";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { post } from "../api/client.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Frame, Wrong } from "./frame.tsx";
import { said, signOut } from "./session.ts";
import "./account.css";

interface Props {
  readonly factors: readonly string[];
  readonly onDone: () => Promise<unknown>;
}

export const SecondFactor = ({ factors, onDone }: Props) => {
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState<"passkey" | "code">();
  const [wrong, setWrong] = useState<string>();
  const asksCode = recovery || factors.includes("totp");
  const run = async (what: "passkey" | "code", work: () => Promise<unknown>): Promise<void> => {
    setBusy(what);
    setWrong(undefined);
    try {
      await work();
      await onDone();
    } catch (error) {
      setWrong(said(error));
      setCode("");
    }
    setBusy(undefined);
  };
  const byPasskey = () =>
    run("passkey", async () => {
      const optionsJSON =
        await post<Parameters<typeof startAuthentication>[0]["optionsJSON"]>("/auth/mfa/passkey/options");
      await post("/auth/mfa/passkey", { answer: await startAuthentication({ optionsJSON }) });
    });
  return (
    <div className="stack">
      {factors.includes("passkey") && !recovery ? (
        <Button
          look={asksCode ? "plain" : "primary"}
          onClick={() => void byPasskey()}
          busy={busy === "passkey"}
          icon={<KeyRound size={15} />}
        >
          Use a passkey
        </Button>
      ) : null}
      {asksCode ? (
        <form
          className="stack door-form"
          onSubmit={(event) => {
            event.preventDefault();
            void run("code", () => post(recovery ? "/auth/mfa/recovery" : "/auth/mfa/totp", { code }));
          }}
        >
          <Field
            label={recovery ? "Recovery code" : "Code of your authenticator app"}
            hint={recovery ? "Each of them works once." : "Six digits, new every 30 seconds."}
          >
            {(ids) => (
              <Input
                {...ids}
                key={String(recovery)}
                className="mono"
                required
                autoComplete="one-time-code"
                inputMode={recovery ? "text" : "numeric"}
                maxLength={recovery ? 40 : 7}
                value={code}
                onChange={(event) => setCode(event.target.value)}
              />
            )}
          </Field>
          <Button type="submit" look="primary" busy={busy === "code"}>
            Go on
          </Button>
        </form>
      ) : null}
      {wrong === undefined ? null : <Wrong>{wrong}</Wrong>}
      {factors.includes("recovery-code") ? (
        <Button
          look="quiet"
          onClick={() => {
            setRecovery(!recovery);
            setCode("");
            setWrong(undefined);
          }}
        >
          {recovery ? "Back to the other ways" : "Use a recovery code"}
        </Button>
      ) : null}
    </div>
  );
};

export const SecondFactorPage = (props: Props) => (
  <Frame title="Your second factor" about="You are nearly in: show that it is you.">
    <SecondFactor {...props} />
    <Button look="quiet" onClick={() => void signOut()}>
      Sign in as somebody else
    </Button>
  </Frame>
);
