/** Who was asked to join, and has not answered yet. */
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { remove } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { scopeWords, useInvitations, useRoles, useSourceNames } from "./data.ts";

export const Invitations = () => {
  const mayWrite = useMay()("members.write");
  const invitations = useInvitations();
  const roles = useRoles().data?.roles ?? [];
  const sources = useSourceNames();
  const acts = useActs("invitations");
  return (
    <Section title="Invited">
      <Wrong>{acts.wrong}</Wrong>
      <Read from={invitations} what="the invitations">
        {(all) =>
          all.length === 0 ? (
            <p className="soft small">No invitation is open.</p>
          ) : (
            <List heads={["E-mail", "Role", "-Sources", "-Sent", "Ends", ...(mayWrite ? [""] : [])]}>
              {all.map((one) => (
                <tr key={one.id}>
                  <td>{one.email}</td>
                  <td>{roles.find(({ id }) => id === one.role)?.name ?? one.role}</td>
                  <td className="wide-only soft">{scopeWords(one.sources, sources)}</td>
                  <td className="wide-only soft">{formatAgo(one.created_at)}</td>
                  <td className="soft">{formatAgo(one.expires_at)}</td>
                  {mayWrite ? (
                    <td className="acts">
                      <Button
                        small
                        aria-label={`Withdraw the invitation of ${one.email}`}
                        disabled={acts.busy}
                        onClick={() => void acts.run(() => remove(`/invitations/${one.id}`))}
                      >
                        Withdraw
                      </Button>
                    </td>
                  ) : null}
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {acts.dialog}
    </Section>
  );
};
