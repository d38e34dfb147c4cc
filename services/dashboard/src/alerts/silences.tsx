/** Silences and maintenance windows: what nobody is told of for a while. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { remove } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { type Said, useSilences } from "./data.ts";
import { NewSilence } from "./new-silence.tsx";

const words = ({ matchers }: Said): string =>
  matchers
    .map(({ label, op, values }) => `${label}${op === "!=" || op === "not in" ? "≠" : "="}${values.join("|")}`)
    .join(" ");

const timeWords = ({ starts_at, ends_at }: Said): string => {
  const now = Date.now();
  if (Date.parse(starts_at) > now) return `begins ${formatAgo(starts_at)}`;
  if (ends_at === null) return "lasts until it is taken away";
  return Date.parse(ends_at) < now ? `ended ${formatAgo(ends_at)}` : `ends ${formatAgo(ends_at)}`;
};

const hourWords = ({ schedule }: Said): string =>
  schedule === null ? "" : `${schedule.days.join(", ")} ${schedule.from} to ${schedule.to}, ${schedule.timezone}`;

export const Silences = () => {
  const silences = useSilences();
  const acts = useActs("alert-silences");
  const may = useMay()("alerts.write");
  const [making, setMaking] = useState(false);
  return (
    <Section
      title="Silences"
      about="What matches is judged as always, and told to nobody. What still lasts at the end is told then."
      act={
        may ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={() => setMaking(true)}>
            New silence
          </Button>
        ) : null
      }
    >
      <Wrong>{acts.wrong}</Wrong>
      <Read from={silences} what="the silences">
        {(all) =>
          all.length === 0 ? (
            <p className="soft small">Nothing is silenced.</p>
          ) : (
            <List heads={["Matches", "When", "-Why", ""]}>
              {all.toReversed().map((one) => (
                <tr key={one.id}>
                  <td>
                    <span className="mono break">{words(one)}</span>
                    <div className="faint small">
                      {one.kind} {hourWords(one)}
                    </div>
                  </td>
                  <td className="figures">{timeWords(one)}</td>
                  <td className="wide-only break">
                    {one.comment} <span className="soft">by {one.created_by_name || "somebody who is gone"}</span>
                  </td>
                  <td className="acts">
                    {may ? (
                      <Button
                        small
                        disabled={acts.busy}
                        onClick={() => void acts.run(() => remove(`/alerts/silences/${one.id}`))}
                      >
                        End it
                      </Button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {acts.dialog}
      {making ? <NewSilence onClose={() => setMaking(false)} /> : null}
    </Section>
  );
};
