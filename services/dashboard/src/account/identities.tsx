/** Accounts elsewhere that lead into one's own: GitHub, Google, an organization's provider. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post, remove } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { Failed, Waiting } from "../ui/states.tsx";
import { formatAgo } from "../ui/time.ts";
import { Wrong } from "./frame.tsx";
import { type Me, useMethods } from "./session.ts";
import { useStepUp } from "./step-up.tsx";
import { useWork } from "./use-work.ts";

interface Identity {
  readonly id: string;
  readonly way: string;
  readonly email: string;
  readonly linked_at: string;
  readonly used_at: string;
}

const names: Readonly<Record<string, string>> = { github: "GitHub", google: "Google", sso: "Single sign-on" };

export const Identities = ({ me }: { me: Me }) => {
  const client = useQueryClient();
  const [guard, dialog] = useStepUp(me);
  const { busy, wrong, run } = useWork();
  const list = useQuery({
    queryKey: ["identities"],
    queryFn: async ({ signal }) =>
      (await get<{ identities: readonly Identity[] }>("/me/identities", signal)).identities,
  });
  const providers = useMethods().data?.providers ?? [];
  const link = (id: string) =>
    run(async () => {
      location.assign((await guard(() => post<{ redirect: string }>(`/me/identities/${id}`))).redirect);
    }, id);
  const unlink = (id: string) =>
    run(async () => {
      await guard(() => remove(`/me/identities/${id}`));
      await client.invalidateQueries({ queryKey: ["identities"] });
    }, id);
  return (
    <section className="account-part" aria-labelledby="identities">
      <h2 id="identities">Accounts elsewhere</h2>
      <p className="soft">
        {list.data?.length === 0
          ? "None leads into yours."
          : "Whoever is signed in to one of these can come in as you."}
      </p>
      {list.isPending ? <Waiting what="Loading the accounts elsewhere" /> : null}
      {list.isError ? (
        <Failed
          error={list.error}
          what="The accounts elsewhere could not be read"
          onRetry={() => void list.refetch()}
        />
      ) : null}
      <ul className="account-list">
        {list.data?.map(({ id, way, email, linked_at, used_at }) => (
          <li key={id}>
            <span className="grow">
              <b>{names[way] ?? way}</b>
              <span className="soft small">
                {email}, linked {formatAgo(linked_at)}, used {formatAgo(used_at)}
              </span>
            </span>
            <Button
              small
              busy={busy === id}
              onClick={() => void unlink(id)}
              aria-label={`Unlink ${names[way] ?? way}, ${email}`}
            >
              Unlink
            </Button>
          </li>
        ))}
      </ul>
      {providers.length === 0 ? null : (
        <div className="row wrap">
          {providers.map(({ id, name }) => (
            <Button key={id} busy={busy === id} onClick={() => void link(id)}>
              Link {name}
            </Button>
          ))}
        </div>
      )}
      <Wrong>{wrong}</Wrong>
      {dialog}
    </section>
  );
};
