/** Who of the platform's staff wants in, or is in, and the word that decides it. */
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { post, put } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo, formatStamp } from "../ui/time.ts";
import { type Grant, spanWords, useAccessPolicy, useGrants } from "./data.ts";

export const Grants = () => {
  const mayDecide = useMay()("access.approve");
  const grants = useGrants();
  const acts = useActs("grants");
  const decide = (id: string, approve: boolean) =>
    void acts.run(() => post(`/access/grants/${id}/decision`, { approve }));
  return (
    <>
      <Read from={grants} what="the requests">
        {({ grants: all }) => (
          <>
            <Section
              title="Now"
              about="Those who run this platform see nothing of yours unless you let them in: for a reason, for a few hours, to look. Everything they then do is in your audit trail under their names."
            >
              <Wrong>{acts.wrong}</Wrong>
              <Open
                of={all}
                mayDecide={mayDecide}
                busy={acts.busy}
                onDecide={decide}
                onEnd={(id) => void acts.run(() => post(`/access/grants/${id}/end`))}
              />
            </Section>
            <Policy mayDecide={mayDecide} />
            <Past of={all.filter(({ state }) => state !== "requested" && state !== "active")} />
          </>
        )}
      </Read>
      {acts.dialog}
    </>
  );
};

interface OpenProps {
  readonly of: readonly Grant[];
  readonly mayDecide: boolean;
  readonly busy: boolean;
  readonly onDecide: (id: string, approve: boolean) => void;
  readonly onEnd: (id: string) => void;
}

const Open = ({ of: all, mayDecide, busy, onDecide, onEnd }: OpenProps) => {
  const open = all.filter(({ state }) => state === "requested" || state === "active");
  if (open.length === 0) return <p>Nobody of the platform's staff has access, and nobody asks for it.</p>;
  return (
    <ul>
      {open.map((grant) => (
        <li key={grant.id} className="sentence">
          <div className="grow">
            <span>
              <strong>{grant.email}</strong>{" "}
              {grant.state === "requested" ? (
                <>
                  asks for <strong>{spanWords(grant.seconds)}</strong> of access
                </>
              ) : (
                <>
                  is in, until{" "}
                  <strong>
                    {grant.expires_at === null ? "" : formatStamp(grant.expires_at, false, 0).slice(0, 16)}
                  </strong>
                </>
              )}
            </span>
            <q>{grant.reason}</q>
            <span className="faint small">
              Asked {formatAgo(grant.requested_at)}.{" "}
              {grant.state === "active"
                ? grant.used_at === null
                  ? "Not used yet. "
                  : `Last used ${formatAgo(grant.used_at)}. `
                : ""}
              With <span className="mono">{grant.permissions.join(", ")}</span>
            </span>
          </div>
          {!mayDecide ? null : grant.state === "active" ? (
            <Button small look="danger" disabled={busy} onClick={() => onEnd(grant.id)}>
              End now
            </Button>
          ) : (
            <>
              <Button small disabled={busy} onClick={() => onDecide(grant.id, false)}>
                Deny
              </Button>
              <Button small look="primary" disabled={busy} onClick={() => onDecide(grant.id, true)}>
                Approve
              </Button>
            </>
          )}
        </li>
      ))}
      {mayDecide ? null : <li className="soft small">To decide needs the permission access.approve.</li>}
    </ul>
  );
};

const Policy = ({ mayDecide }: { mayDecide: boolean }) => {
  const policy = useAccessPolicy();
  const acts = useActs("access-policy");
  if (policy.data === undefined) return null;
  const on = policy.data.staff_may_approve;
  return (
    <Section title="Who decides">
      <div className="sentence">
        <div className="grow">
          <span>
            {on
              ? "Owners and admins decide, and so may a second one of the staff in their place."
              : "Owners and admins of this organization decide, and nobody else."}
          </span>
          <span className="soft small">
            {on
              ? "Help comes faster at night; nobody approves what he asked for himself."
              : "A request that nobody answers lapses after a day."}
          </span>
        </div>
        {mayDecide ? (
          <Button
            small
            busy={acts.busy}
            onClick={() => void acts.run(() => put("/access/policy", { staff_may_approve: !on }))}
          >
            {on ? "Keep it to ourselves" : "Let staff approve each other"}
          </Button>
        ) : null}
      </div>
      <Wrong>{acts.wrong}</Wrong>
      {acts.dialog}
    </Section>
  );
};

const Past = ({ of: past }: { of: readonly Grant[] }) =>
  past.length === 0 ? null : (
    <Section title="Before">
      <List heads={["Who", "Why", "-For", "-Last used", "Asked", "State"]}>
        {past.map((grant) => (
          <tr key={grant.id}>
            <td>{grant.email}</td>
            <td className="soft">{grant.reason}</td>
            <td className="wide-only soft">{spanWords(grant.seconds)}</td>
            <td className="wide-only soft">{grant.used_at === null ? "never" : formatAgo(grant.used_at)}</td>
            <td className="soft">{formatAgo(grant.requested_at)}</td>
            <td>
              <span className="badge">{grant.state}</span>
            </td>
          </tr>
        ))}
      </List>
    </Section>
  );
