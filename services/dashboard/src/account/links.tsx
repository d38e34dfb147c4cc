/**
 * The pages that links lead to. What a link carries stands behind its #, so no server and no log sees it; it leaves the
 * address as soon as it was read. Opening the page does nothing: its button does.
 */
import { type ReactNode, useEffect, useState } from "react";
import { Redirect } from "wouter";
import { post } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { EmailField, NameField } from "./fields.tsx";
import { Frame, Wrong } from "./frame.tsx";
import { type SignedIn, useArrive } from "./session.ts";
import { useWork } from "./use-work.ts";
import "./account.css";

const useToken = (): string => {
  const [token] = useState(() => location.hash.slice(1));
  useEffect(() => history.replaceState(history.state, "", location.pathname), []);
  return token;
};

interface LinkPageProps {
  readonly title: string;
  readonly about: string;
  readonly button: string;
  readonly to: string;
  readonly send: (token: string) => Promise<unknown>;
  readonly ready?: boolean;
  readonly children?: ReactNode;
}

const LinkPage = ({ title, about, button, to, send, ready = true, children }: LinkPageProps) => {
  const token = useToken();
  const [done, setDone] = useState(false);
  const { busy, wrong, run } = useWork();
  const arrive = useArrive();
  if (done) return <Redirect to={to} replace />;
  if (token === "")
    return (
      <Frame title="This link is not complete" about="Its end is missing. Copy all of it into the address bar.">
        <Button onClick={() => location.assign("/")}>To the sign-in page</Button>
      </Frame>
    );
  return (
    <Frame title={title} about={about}>
      <form
        className="stack door-form"
        onSubmit={(event) => {
          event.preventDefault();
          void run(async () => {
            await send(token);
            await arrive();
            setDone(true);
          });
        }}
      >
        {children}
        <Button type="submit" look="primary" busy={busy !== undefined} disabled={!ready}>
          {button}
        </Button>
      </form>
      {wrong === undefined ? null : (
        <>
          <Wrong>{wrong}</Wrong>
          <Button onClick={() => location.assign("/")}>To the sign-in page</Button>
        </>
      )}
    </Frame>
  );
};

export const SignInLink = () => (
  <LinkPage
    title="Welcome back"
    about="One more press: programs that look into mails do not press it, so the link is still yours."
    button="Sign in"
    to="/"
    send={(token) => post<SignedIn>("/auth/link/confirm", { token })}
  />
);

export const IdentityLink = () => (
  <LinkPage
    title="Was it you who signed in?"
    about="Then that account elsewhere leads into yours from now on. If not, close this page: nothing has happened."
    button="It was me: sign in"
    to="/"
    send={(token) => post<SignedIn>("/auth/identity/confirm", { token })}
  />
);

export const NewAddressLink = () => (
  <LinkPage
    title="Confirm your new address"
    about="From then on sign-in links go there, and the old address is told."
    button="Take this address"
    to="/account"
    send={(token) => post("/auth/email/confirm", { token })}
  />
);

export const Welcome = () => {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  return (
    <LinkPage
      title="Become the first owner"
      about="This Astralog has no account yet. The link from its console makes yours, and works once."
      button="Make my account"
      to="/account"
      ready={email.trim() !== ""}
      send={(token) => post<SignedIn>("/auth/first-owner", { token, email, name })}
    >
      <EmailField value={email} onChange={setEmail} hint="Sign-in links go there." />
      <NameField value={name} onChange={setName} />
    </LinkPage>
  );
};
