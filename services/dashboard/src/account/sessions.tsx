/** Where one is signed in, and how to end it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post, remove } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { Failed, Waiting } from "../ui/states.tsx";
import { formatAgo } from "../ui/time.ts";
import { Wrong } from "./frame.tsx";
import { useWork } from "./use-work.ts";

interface SessionView {
  readonly id: string;
  readonly current: boolean;
  readonly method: string;
  readonly created_at: string;
  readonly seen_at: string;
  readonly ip: string;
  readonly user_agent: string;
}

const browsers: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrom(?:e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS/, "macOS"],
  [/Linux/, "Linux"],
];
const nameOf = (agent: string): string => {
  const found = (list: typeof browsers) => list.find(([pattern]) => pattern.test(agent))?.[1];
  const [browser, system] = [found(browsers), found(systems)];
  if (browser === undefined) return agent.slice(0, 40) || "An unknown program";
  return system === undefined ? browser : `${browser} on ${system}`;
};

const ways: Readonly<Record<string, string>> = {
  email: "by mail",
  passkey: "with a passkey",
  "first-owner": "with the console's link",
  github: "with GitHub",
  google: "with Google",
  oidc: "by single sign-on",
  saml: "by single sign-on",
};

export const Sessions = () => {
  const client = useQueryClient();
  const { wrong, run: work } = useWork();
  const list = useQuery({
    queryKey: ["sessions"],
    queryFn: ({ signal }) => get<{ sessions: readonly SessionView[] }>("/me/sessions", signal),
  });
  const run = async (what: () => Promise<unknown>): Promise<void> => {
    await work(what);
    await client.invalidateQueries({ queryKey: ["sessions"] });
  };
  const sessions = list.data?.sessions ?? [];
  return (
    <section className="account-part" aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      {list.isPending ? <Waiting what="Loading the sessions" /> : null}
      {list.isError ? (
        <Failed error={list.error} what="The sessions could not be read" onRetry={() => void list.refetch()} />
      ) : null}
      <ul className="account-list">
        {sessions.map((one) => (
          <li key={one.id}>
            <span className="grow">
              <b>{nameOf(one.user_agent)}</b>
              <span className="soft small">
                {one.current ? "This one" : `Seen ${formatAgo(one.seen_at)}`}, from {one.ip}, signed in{" "}
                {formatAgo(one.created_at)} {ways[one.method] ?? one.method}
              </span>
            </span>
            {one.current ? null : (
              <Button
                small
                aria-label={`End the session of ${nameOf(one.user_agent)} from ${one.ip}`}
                onClick={() => void run(() => remove(`/me/sessions/${one.id}`))}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
      <div className="row wrap">
        <Button disabled={sessions.length < 2} onClick={() => void run(() => post("/me/sessions/end-others"))}>
          End all others
        </Button>
        <Button
          look="quiet"
          onClick={() =>
            void run(async () => {
              await post("/me/sessions/end-all");
              location.assign("/");
            })
          }
        >
          Sign out everywhere
        </Button>
      </div>
      <Wrong>{wrong}</Wrong>
    </section>
  );
};
