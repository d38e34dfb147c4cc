/** One's own account: name and address, second factors, sessions, the look of the pages. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { patch, post } from "../api/client.ts";
import { setTheme, type Theme, useTheme } from "../shell/theme.ts";
import { Button } from "../ui/controls.tsx";
import { Empty, Failed, Waiting } from "../ui/states.tsx";
import { Factors } from "./factors.tsx";
import { EmailField, NameField } from "./fields.tsx";
import { Wrong } from "./frame.tsx";
import { Identities } from "./identities.tsx";
import { currentOrganization, hasFactor, type Me, meKey, useMe } from "./session.ts";
import { Sessions } from "./sessions.tsx";
import { useStepUp } from "./step-up.tsx";
import { useWork } from "./use-work.ts";
import "./account.css";

export const Account = () => {
  const me = useMe();
  if (me.isError)
    return <Failed error={me.error} what="Your account could not be read" onRetry={() => void me.refetch()} />;
  if (me.data === undefined)
    return me.isLoading ? (
      <Waiting what="Loading your account" />
    ) : (
      <Empty title="A key has no account">
        <p className="soft">Forget the key and sign in as yourself to see one.</p>
      </Empty>
    );
  const organization = currentOrganization(me.data);
  return (
    <div className="account">
      {organization?.require_mfa === true && !hasFactor(me.data) ? (
        <p className="account-asked" role="status">
          {organization.name} asks for a second factor. Add one here, and the rest is there again.
        </p>
      ) : null}
      <You me={me.data} />
      <Factors me={me.data} />
      <Identities me={me.data} />
      <Sessions />
      <Look />
    </div>
  );
};

const You = ({ me }: { me: Me }) => {
  const client = useQueryClient();
  const [guard, dialog] = useStepUp(me);
  const [name, setName] = useState(me.name);
  const [email, setEmail] = useState(me.email);
  const [note, setNote] = useState<string>();
  const { wrong, run: work } = useWork();
  const run = async (what: () => Promise<unknown>, then: string): Promise<void> => {
    setNote(undefined);
    if (!(await work(() => guard(what)))) return;
    setNote(then);
    await client.invalidateQueries({ queryKey: meKey });
  };
  return (
    <section className="account-part" aria-labelledby="you">
      <h2 id="you">You</h2>
      <form
        className="account-line"
        onSubmit={(event) => {
          event.preventDefault();
          void run(() => patch("/me", { name }), "Your name is changed.");
        }}
      >
        <NameField value={name} onChange={setName} />
        <Button type="submit" disabled={name.trim() === me.name}>
          Save
        </Button>
      </form>
      <form
        className="account-line"
        onSubmit={(event) => {
          event.preventDefault();
          void run(
            () => post("/me/email", { email }),
            `A link is on its way to ${email}. Until it is used, all stays as it is.`,
          );
        }}
      >
        <EmailField value={email} onChange={setEmail} />
        <Button type="submit" disabled={email.trim().toLowerCase() === me.email}>
          Send a link there
        </Button>
      </form>
      <p className="soft small" role="status">
        {note}
      </p>
      <Wrong>{wrong}</Wrong>
      {dialog}
    </section>
  );
};

const themes: readonly (readonly [Theme, string])[] = [
  ["system", "As the system"],
  ["dark", "Dark"],
  ["light", "Light"],
];

const Look = () => {
  const theme = useTheme();
  return (
    <section className="account-part" aria-labelledby="look">
      <h2 id="look">Theme</h2>
      <fieldset className="segmented">
        <legend className="hidden">Theme</legend>
        {themes.map(([name, title]) => (
          <button key={name} type="button" aria-pressed={theme === name} onClick={() => setTheme(name)}>
            {title}
          </button>
        ))}
      </fieldset>
    </section>
  );
};
