/** What was stored, by day and source, beside what the plan allows. */
import "../style/pages.css";
import "./usage.css";
import { useQuery } from "@tanstack/react-query";
import { get, queryOf } from "../api/client.ts";
import { useAddress } from "../shell/address.ts";
import { List } from "../ui/parts.tsx";
import { Empty, Failed, Waiting } from "../ui/states.tsx";
import { formatBytes, number } from "../ui/time.ts";
import { PlanLimits, PlanToday } from "./plan.tsx";
import { type Day, seriesOf } from "./series.ts";

interface Usage {
  readonly from: string;
  readonly to: string;
  readonly days: readonly Day[];
}

const spans = [7, 30, 90] as const;
const dayMs = 86_400_000;

const useUsage = (days: number) =>
  useQuery({
    queryKey: ["usage", days],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - (days - 1) * dayMs).toISOString().slice(0, 10);
      return get<Usage>(`/usage${queryOf({ from })}`, signal);
    },
    retry: false,
  });

export const UsagePage = () => {
  const address = useAddress();
  const days = spans.find((one) => String(one) === address.get("days")) ?? 30;
  const by = address.get("by") === "events" ? "events" : "bytes";
  const usage = useUsage(days);
  const write = by === "bytes" ? formatBytes : (value: number) => number.format(value);
  return (
    <div className="page">
      <PlanToday />
      <section className="stack-small" aria-label="By day">
        <header className="page-head">
          <h2>By day</h2>
          <fieldset className="segmented">
            <legend className="hidden">Count</legend>
            {(["bytes", "events"] as const).map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={by === one}
                onClick={() => address.set({ by: one === "bytes" ? "" : one })}
              >
                {one === "bytes" ? "Bytes" : "Events"}
              </button>
            ))}
          </fieldset>
          <fieldset className="segmented">
            <legend className="hidden">Days</legend>
            {spans.map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={days === one}
                onClick={() => address.set({ days: one === 30 ? "" : String(one) })}
              >
                {one} days
              </button>
            ))}
          </fieldset>
        </header>
        {usage.isPending ? (
          <Waiting what="Adding up" />
        ) : usage.isError ? (
          <Failed what="The usage cannot be shown" error={usage.error} onRetry={() => void usage.refetch()} />
        ) : usage.data.days.length === 0 ? (
          <Empty title="Nothing was stored yet">
            <p className="soft">Each event counts on the day it arrived, once it is stored. Days are those of UTC.</p>
          </Empty>
        ) : (
          <Chart usage={usage.data} by={by} write={write} />
        )}
      </section>
      <PlanLimits />
    </div>
  );
};

const Chart = ({ usage, by, write }: { usage: Usage; by: "bytes" | "events"; write: (value: number) => string }) => {
  const { days, sources, most, total } = seriesOf(usage, by);
  return (
    <>
      <figure className="usage-chart" aria-label={`${write(total)} in ${days.length} days`}>
        <div className="usage-bars">
          {days.map(({ day, parts, sum }) => (
            <div key={day} className="usage-day" title={`${day}: ${write(sum)}`}>
              {parts.map(({ source, value }, i) =>
                value === 0 ? null : (
                  <div
                    key={source}
                    className={`usage-part series-${i % 6}`}
                    style={{ height: `${(value / most) * 100}%` }}
                  />
                ),
              )}
            </div>
          ))}
        </div>
        <div className="usage-axis faint small figures" aria-hidden>
          <span>{days[0]?.day}</span>
          <span>{write(most)} at most</span>
          <span>{days.at(-1)?.day}</span>
        </div>
      </figure>
      <List heads={["Source", by === "bytes" ? "#Bytes" : "#Events", "#Share", "-#Not stored", "-#Redacted"]}>
        {sources.map(({ source, name, value, dropped, redacted }, i) => (
          <tr key={source}>
            <td>
              <span className={`series-mark series-${i % 6}`} aria-hidden /> {name || source}
            </td>
            <td className="number">{write(value)}</td>
            <td className="number">{total === 0 ? "" : `${Math.round((value / total) * 100)} %`}</td>
            <td className="number wide-only soft">{number.format(dropped)}</td>
            <td className="number wide-only soft">{number.format(redacted)}</td>
          </tr>
        ))}
      </List>
    </>
  );
};
