/** Showing a second factor: the page after a sign-in, and the dialog before something dangerous. */
import { startAuthentication } from "@simplewebauthn/browser";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { post } from "../api/client.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Frame, Wrong } from "./frame.tsx";
import { signOut } from "./session.ts";
import { useWork } from "./use-work.ts";
import "./account.css";

interface Props {
  readonly factors: readonly string[];
  readonly onDone: () => Promise<unknown>;
}

export const SecondFactor = ({ factors, onDone }: Props) => {
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const { busy, wrong, run } = useWork();
  const asksCode = recovery || factors.includes("totp");
  const show = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const shown = await run(async () => {
      await work();
      await onDone();
    }, what);
    if (!shown) setCode("");
  };
  const byPasskey = () =>
    show("passkey", async () => {
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
            void show("code", () => post(recovery ? "/auth/mfa/recovery" : "/auth/mfa/totp", { code }));
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
      <Wrong>{wrong}</Wrong>
      {factors.includes("recovery-code") ? (
        <Button
          look="quiet"
          onClick={() => {
            setRecovery(!recovery);
            setCode("");
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
