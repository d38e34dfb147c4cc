/** A rule over the past days: when it would have fired, on the histogram of its query, and how that differs from now. */
import { useState } from "react";
import { asProblem } from "../api/client.ts";
import { useHistogram } from "../explore/data.ts";
import { Histogram } from "../explore/histogram.tsx";
import { Button, Field, Input } from "../ui/controls.tsx";
import { List } from "../ui/parts.tsx";
import { formatDuration, formatStamp, number } from "../ui/time.ts";
import { groupWords } from "./data.ts";
import { RuleMessage } from "./message-example.tsx";
import { backtest, finer, type RuleChange, type Run, spansOf, type Trial, useChanges } from "./rule-data.ts";
import { conditionOf, type Draft, withCondition } from "./rule-draft.ts";

const stretches = [
  [1, "day"],
  [7, "week"],
  [31, "month"],
] as const;

interface Props {
  readonly of: Draft;
  readonly stored: Draft | undefined;
  readonly trial: Trial;
  /** What was changed a moment ago is waited for. */
  readonly settling: boolean;
  readonly onChange: (draft: Draft) => void;
}

export const Preview = ({ of: draft, stored, trial, settling, onChange }: Props) => {
  const { days, setDays, now, stretch, test } = trial;
  const histogram = useHistogram({ q: draft.when.query, range: stretch, turn: 0 }, 96);
  const changes = useChanges(draft, stored !== undefined);
  const stale = settling || test.isPlaceholderData || test.isFetching;
  const run = test.data?.runs[0];
  const spans = run === undefined ? [] : spansOf(run, now);
  const problem = test.isError ? asProblem(test.error) : undefined;
  return (
    <section className="stack" aria-label="What it would have done">
      <header className="page-head">
        <h2>It would have fired</h2>
        <fieldset className="segmented">
          <legend className="hidden">Over the last</legend>
          {stretches.map(([count, name]) => (
            <button key={name} type="button" aria-pressed={days === count} onClick={() => setDays(count)}>
              {name}
            </button>
          ))}
        </fieldset>
      </header>
      {histogram.data ? (
        <div className="preview-bars">
          <Histogram
            data={histogram.data}
            utc={false}
            stale={stale || histogram.isPlaceholderData}
            spans={spans.map(({ incident, from, to, group, reason }) => ({
              ...{ id: incident, from, to, label: `${groupWords(group)} ${reason}` },
            }))}
          />
        </div>
      ) : null}
      <div aria-live="polite">
        {problem !== undefined ? (
          <p className="soft small">
            {Object.keys(problem.fields).length > 0 ? "It cannot be tried yet: a field is wrong." : problem.message}
          </p>
        ) : run === undefined ? (
          <p className="soft small">Looking through what is stored…</p>
        ) : (
          <Summary of={run} days={days} stale={stale} />
        )}
      </div>
      {run === undefined || problem !== undefined ? null : <Spans of={spans} />}
      <Suggest of={draft} {...{ stretch, days, onChange }} />
      {stored === undefined ? null : <Compared changes={changes.data ?? []} test={test.data} />}
      <RuleMessage of={draft} />
    </section>
  );
};

const Summary = ({ of: run, days, stale }: { of: Run; days: number; stale: boolean }) => (
  <p className={stale ? "soft is-stale" : ""}>
    <strong className="figures">{number.format(run.firings)}</strong> {run.firings === 1 ? "time" : "times"} in{" "}
    {days === 1 ? "a day" : `${days} days`},{" "}
    <span className="soft">
      {number.format(run.incidents)} {run.incidents === 1 ? "incident" : "incidents"} out of {number.format(run.events)}{" "}
      events.
    </span>
    {run.truncated ? <span className="warn small"> Not all of them are shown.</span> : null}
  </p>
);

const shown = 8;

const Spans = ({ of: spans }: { of: ReturnType<typeof spansOf> }) =>
  spans.length === 0 ? null : (
    <List heads={["When", "-Lasted", "Why"]}>
      {spans
        .toReversed()
        .slice(0, shown)
        .map(({ incident, from, to, lasts, group, reason }) => (
          <tr key={incident}>
            <td className="figures">{formatStamp(new Date(from).toISOString(), false, 0)}</td>
            <td className="wide-only figures">{lasts ? "still" : to === from ? "" : formatDuration(to - from)}</td>
            <td className="break">
              {reason}
              <div className="faint small mono">{groupWords(group)}</div>
            </td>
          </tr>
        ))}
    </List>
  );

/** For rules with a threshold: one with which so many alerts a week would have come. */
const Suggest = ({
  of: draft,
  stretch,
  days,
  onChange,
}: {
  of: Draft;
  stretch: { from: string; to: string };
  days: number;
  onChange: (draft: Draft) => void;
}) => {
  const [perWeek, setPerWeek] = useState("5");
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const { type } = draft.when;
  if (type !== "threshold" && type !== "ratio") return null;
  const side = conditionOf(draft).below === undefined ? "above" : "below";
  const find = async (): Promise<void> => {
    setBusy(true);
    setSaid("");
    try {
      const { runs } = await backtest([draft], stretch, { per_week: Number(perWeek) });
      const suggestion = runs[0]?.suggestion;
      if (suggestion == null) return setSaid("Nothing was measured in this time.");
      const threshold = Number(suggestion.threshold.toPrecision(6));
      onChange(withCondition(withCondition(draft, "resolve", undefined), side, threshold));
      setSaid(
        `${side} ${threshold}: ${suggestion.firings} times in ${days === 1 ? "this day" : `these ${days} days`}.`,
      );
    } catch (error) {
      setSaid(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="stack-small">
      <div className="row suggest">
        <Field label="Alerts a week">
          {(ids) => (
            <Input {...ids} inputMode="decimal" value={perWeek} onChange={({ target }) => setPerWeek(target.value)} />
          )}
        </Field>
        <Button busy={busy} disabled={!(Number(perWeek) > 0)} onClick={() => void find()}>
          Find the threshold
        </Button>
      </div>
      <p className="soft small" aria-live="polite">
        {said}
      </p>
    </div>
  );
};

const Compared = ({ changes, test }: { changes: readonly RuleChange[]; test: Trial["test"]["data"] }) => {
  if (changes.length === 0) return <p className="soft small">It says what is stored.</p>;
  const now = test?.runs[1];
  const { only_first: more = [], only_second: fewer = [] } = test?.differences ?? {};
  const firing = (all: typeof more): number => all.filter(({ to }) => to === "firing").length;
  return (
    <div className="stack-small">
      <h3>Against what is stored</h3>
      {now === undefined ? null : (
        <p className="small">
          Now it fires <span className="figures">{number.format(now.firings)}</span> times:{" "}
          <span className="figures">{number.format(firing(more))}</span> would be new,{" "}
          <span className="figures">{number.format(firing(fewer))}</span> would not be told.
        </p>
      )}
      <dl className="facts">
        {changes.flatMap(finer).map(({ field, before, after }) => (
          <div key={field} className="fact-pair">
            <dt>{field}</dt>
            <dd className="mono small">
              <del>{before || "nothing"}</del> <ins>{after || "nothing"}</ins>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
};
