/** The organization's domains, and whether single sign-on is the only way in for them. */
import { post, put, remove } from "../api/client.ts";
import { Button, CopyIconButton } from "../ui/controls.tsx";
import { formatAgo } from "../ui/time.ts";
import { useChanged, useDomains, usePolicy } from "./data.ts";
import { AddLine, Part, type PartsProps, useRun } from "./part.tsx";

export const Domains = ({ guard, mayWrite }: PartsProps) => {
  const domains = useDomains();
  const [wrong, run] = useRun(guard, useChanged());
  return (
    <Part
      title="Domains"
      about="Providers and directories speak for people with addresses in verified domains, and for nobody else."
      asked={domains}
      wrong={wrong}
    >
      <ul className="account-list">
        {domains.data?.domains.map((one) => (
          <li key={one.id}>
            <span className="grow">
              <b>{one.domain}</b>
              {one.verified_at === null ? (
                <span className="soft small">
                  Add the TXT record <code className="mono">{one.record.name}</code> with{" "}
                  <code className="mono">{one.record.value}</code>
                  <CopyIconButton text={one.record.value} label="Copy the record's value" />
                </span>
              ) : (
                <span className="soft small">Verified {formatAgo(one.verified_at)}</span>
              )}
            </span>
            {mayWrite && one.verified_at === null ? (
              <Button small onClick={() => void run(() => post(`/sso/domains/${one.id}/verify`))}>
                Verify
              </Button>
            ) : null}
            {mayWrite ? (
              <Button
                small
                aria-label={`Remove ${one.domain}`}
                onClick={() => void run(() => remove(`/sso/domains/${one.id}`))}
              >
                Remove
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      {mayWrite ? (
        <AddLine
          label="Another domain"
          placeholder="example.com"
          button="Claim"
          onAdd={(domain) => run(() => post("/sso/domains", { domain }))}
        />
      ) : null}
    </Part>
  );
};

export const OnlyWay = ({ guard, mayWrite }: PartsProps) => {
  const policy = usePolicy();
  const [wrong, run] = useRun(guard, useChanged());
  const on = policy.data?.sso_only === true;
  return (
    <Part
      title="Single sign-on only"
      about="People of the verified domains then come in through the provider and no other way. Owners still can by mail or passkey, for the day the provider is broken; the audit trail tells of it."
      asked={policy}
      wrong={wrong}
    >
      {policy.data === undefined ? null : (
        <div className="row wrap">
          <p role="status">{on ? "It is the only way in." : "Other ways in are open."}</p>
          {mayWrite ? (
            <Button
              look={on ? "plain" : "danger"}
              onClick={() => void run(() => put("/sso/policy", { sso_only: !on }))}
            >
              {on ? "Open the other ways" : "Close the other ways"}
            </Button>
          ) : null}
        </div>
      )}
    </Part>
  );
};
