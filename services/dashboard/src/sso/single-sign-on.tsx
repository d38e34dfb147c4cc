/** How an organization's people come in through its own identity provider and directory. */
import { currentOrganization, type Me, useMe } from "../account/session.ts";
import { useStepUp } from "../account/step-up.tsx";
import { Empty, Waiting } from "../ui/states.tsx";
import { Connections } from "./connections.tsx";
import { Domains, OnlyWay } from "./domains.tsx";
import { Tokens } from "./tokens.tsx";
import "../account/account.css";

export const SingleSignOn = () => {
  const me = useMe();
  if (me.isLoading) return <Waiting />;
  const may = currentOrganization(me.data)?.permissions ?? [];
  if (me.data === undefined || !may.includes("sso.read"))
    return (
      <Empty title="This is for those who run the organization">
        <p className="soft">Ask an owner or admin for the permission sso.read.</p>
      </Empty>
    );
  return <Settings me={me.data} mayWrite={may.includes("sso.write")} />;
};

const Settings = ({ me, mayWrite }: { me: Me; mayWrite: boolean }) => {
  const [guard, dialog] = useStepUp(me);
  return (
    <div className="account">
      <h1 className="hidden">Single sign-on</h1>
      <Domains guard={guard} mayWrite={mayWrite} />
      <Connections guard={guard} mayWrite={mayWrite} />
      <OnlyWay guard={guard} mayWrite={mayWrite} />
      <Tokens guard={guard} mayWrite={mayWrite} />
      {dialog}
    </div>
  );
};
