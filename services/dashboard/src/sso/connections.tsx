/** The organization's identity providers: connected, tried, switched off, disconnected. */
import { useState } from "react";
import { patch, post, remove } from "../api/client.ts";
import { Button, CopyIconButton } from "../ui/controls.tsx";
import { NewConnection } from "./connection-form.tsx";
import { type Connection, useChanged, useConnections } from "./data.ts";
import { Part, type PartsProps, useRun } from "./part.tsx";

interface Tried {
  readonly ok: boolean;
  readonly findings: readonly string[];
}

const names: Readonly<Record<string, string>> = {
  redirect_uri: "Redirect URI",
  entity_id: "Entity ID (audience)",
  acs_url: "ACS URL",
  logout_url: "Single logout URL",
};

export const Connections = ({ guard, mayWrite }: PartsProps) => {
  const connections = useConnections();
  const changed = useChanged();
  const [wrong, run] = useRun(guard, changed);
  const [adding, setAdding] = useState<Connection["kind"]>();
  const [tried, setTried] = useState<Tried & { readonly id: string }>();
  return (
    <Part
      title="Identity providers"
      about="Whoever the provider vouches for becomes a member in the role given here, and his session is good in this organization only."
      asked={connections}
      wrong={wrong}
    >
      <ul className="account-list">
        {connections.data?.connections.map((one) => (
          <li key={one.id}>
            <span className="grow">
              <b>{one.name}</b>
              <span className="soft small">
                {one.kind === "oidc" ? "OpenID Connect" : "SAML"}, {one.issuer}
                {one.enabled ? "" : ", switched off"};{" "}
                {one.admits ? `brings members as ${one.role}` : "brings no members"}
              </span>
              {Object.entries(one.ours).map(([name, value]) => (
                <span key={name} className="soft small">
                  {names[name] ?? name}: <code className="mono">{value}</code>
                  <CopyIconButton text={value} label={`Copy the ${names[name] ?? name}`} />
                </span>
              ))}
              {tried?.id === one.id ? (
                <span role="status" className="small">
                  {tried.findings.join(" ")}
                </span>
              ) : null}
            </span>
            {mayWrite ? (
              <span className="row wrap">
                <Button
                  small
                  onClick={() =>
                    void run(async () =>
                      setTried({ id: one.id, ...(await post<Tried>(`/sso/connections/${one.id}/test`)) }),
                    )
                  }
                >
                  Try
                </Button>
                <Button
                  small
                  onClick={() => void run(() => patch(`/sso/connections/${one.id}`, { enabled: !one.enabled }))}
                >
                  {one.enabled ? "Switch off" : "Switch on"}
                </Button>
                <Button
                  small
                  aria-label={`Disconnect ${one.name}`}
                  onClick={() => void run(() => remove(`/sso/connections/${one.id}`))}
                >
                  Disconnect
                </Button>
              </span>
            ) : null}
          </li>
        ))}
      </ul>
      {mayWrite ? (
        <div className="row wrap">
          <Button onClick={() => setAdding("oidc")}>Connect by OpenID Connect</Button>
          <Button onClick={() => setAdding("saml")}>Connect by SAML</Button>
        </div>
      ) : null}
      {adding === undefined ? null : (
        <NewConnection
          kind={adding}
          onClose={() => setAdding(undefined)}
          onAdd={async (body) => {
            await guard(() => post("/sso/connections", body));
            setAdding(undefined);
            await changed();
          }}
        />
      )}
    </Part>
  );
};
