/** What a directory needs to make and end members by SCIM: the address, and a token that is shown once. */
import { useState } from "react";
import { post, remove } from "../api/client.ts";
import { Button, CopyButton, CopyIconButton } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { formatAgo } from "../ui/time.ts";
import { type ScimToken, useChanged, useTokens } from "./data.ts";
import { AddLine, Part, type PartsProps, useRun } from "./part.tsx";

const stateOf = ({ used_at: used, expires_at: end, revoked_at: revoked }: ScimToken): string => {
  if (revoked !== null) return `ended ${formatAgo(revoked)}`;
  if (end !== null && Date.parse(end) <= Date.now()) return "expired";
  return used === null ? "not used yet" : `used ${formatAgo(used)}`;
};

export const Tokens = ({ guard, mayWrite }: PartsProps) => {
  const tokens = useTokens();
  const [wrong, run] = useRun(guard, useChanged());
  const [made, setMade] = useState<string>();
  const address = `${location.origin}/scim/v2`;
  const make = (path: string, body: unknown) =>
    run(async () => {
      setMade((await post<{ token: string }>(path, body)).token);
    });
  return (
    <Part
      title="Directory (SCIM)"
      about={
        <>
          A directory makes, changes and ends members and teams at <code className="mono">{address}</code>
          <CopyIconButton text={address} label="Copy the SCIM address" />
        </>
      }
      asked={tokens}
      wrong={wrong}
    >
      <ul className="account-list">
        {tokens.data?.tokens.map((one) => (
          <li key={one.id}>
            <span className="grow">
              <b>{one.name}</b>
              <span className="soft small">
                al_scm_…{one.last4}, {stateOf(one)}
              </span>
            </span>
            {mayWrite && one.revoked_at === null ? (
              <>
                <Button small onClick={() => void make(`/sso/scim-tokens/${one.id}/rotate`, {})}>
                  Rotate
                </Button>
                <Button
                  small
                  aria-label={`End the token ${one.name}`}
                  onClick={() => void run(() => remove(`/sso/scim-tokens/${one.id}`))}
                >
                  End
                </Button>
              </>
            ) : null}
          </li>
        ))}
      </ul>
      {mayWrite ? (
        <AddLine
          label="Another token"
          placeholder="Our directory"
          button="Make"
          onAdd={(name) => make("/sso/scim-tokens", { name })}
        />
      ) : null}
      <Modal
        open={made !== undefined}
        onClose={() => setMade(undefined)}
        title="The new token"
        about="Give it to the directory now: it is not shown again."
        firm
      >
        <p className="secret">
          <code className="mono">{made}</code>
          <CopyButton text={made ?? ""} />
        </p>
        <Button look="primary" onClick={() => setMade(undefined)}>
          I have it
        </Button>
      </Modal>
    </Part>
  );
};
