/** What was sent, newest first, with each try. */
import { useState } from "react";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { post } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { List, Read } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { useDestinations, useNotices } from "./data.ts";

export const Notices = ({ by }: { by: Parameters<typeof useNotices>[0] }) => {
  const notices = useNotices(by);
  const destinations = useDestinations().data?.destinations ?? [];
  const acts = useActs("alert-notices");
  const may = useMay();
  /** What came of sending one again: a problem, or "" when it was taken. */
  const [again, setAgain] = useState<{ id: string; problem: string }>();
  const repeat = (id: string) =>
    acts.run(async () => {
      setAgain(undefined);
      const { problem } = await post<{ problem: string }>(`/alerts/notices/${id}/repeat`);
      return () => setAgain({ id, problem });
    });
  const nameOf = (id: string): string => destinations.find((one) => one.id === id)?.name ?? id;
  return (
    <Read from={notices} what="what was sent">
      {({ notices: sent }) =>
        sent.length === 0 ? (
          <p className="soft small">Nothing was sent.</p>
        ) : (
          <>
            <Wrong>{acts.wrong}</Wrong>
            <List heads={["Sent", "To", "Outcome", ""]}>
              {sent.map((one) => (
                <tr key={one.id}>
                  <td className="figures">
                    {formatAgo(one.created_at)}
                    <div className="faint small mono break wide-only">{one.id}</div>
                  </td>
                  <td>{nameOf(one.destination)}</td>
                  <td>
                    <span className={one.status === "taken" ? "good" : one.status === "due" ? "warn" : "soft"}>
                      {one.status}
                    </span>
                    {one.next_try_at === null || one.attempts === 0 ? null : (
                      <span className="soft small"> again {formatAgo(one.next_try_at)}</span>
                    )}
                    {one.tries.map(({ at, ms, problem }) => (
                      <div key={at} className="faint small break">
                        {formatAgo(at)}, {ms} ms: {problem || "taken"}
                      </div>
                    ))}
                    {again?.id === one.id ? (
                      <div className={`small break ${again.problem === "" ? "good" : "bad"}`} role="status">
                        Sent again just now, by hand: {again.problem || "taken"}
                      </div>
                    ) : null}
                    {one.tries.length === 0 && one.problem !== "" ? (
                      <div className="faint small">{one.problem}</div>
                    ) : null}
                  </td>
                  <td className="acts">
                    {may("alerts.destinations") ? (
                      <Button small disabled={acts.busy} onClick={() => void repeat(one.id)}>
                        Send again
                      </Button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </List>
            {acts.dialog}
          </>
        )
      }
    </Read>
  );
};
