/** One panel: a question asked again and again, and its answer as lines, bars, a table or a number. */
import { lazy, type ReactNode, Suspense } from "react";
import { Link } from "wouter";
import { asProblem, queryOf } from "../api/client.ts";
import { LevelSign } from "../explore/event-row.tsx";
import { filterOf, withFilter } from "../explore/language.ts";
import { boundsOf, type Range } from "../explore/time-range.ts";
import { classes } from "../ui/controls.tsx";
import { Waiting } from "../ui/states.tsx";
import { compact, formatStamp, number } from "../ui/time.ts";
import {
  type Annotation,
  narrowed,
  type Panel,
  useCounts,
  useCountsOf,
  useLatest,
  useValues,
  type Variable,
} from "./data.ts";
import { byLevel, byValue, type Lines, totalOf } from "./shape.ts";

const Chart = lazy(() => import("./chart.tsx").then(({ Chart }) => ({ default: Chart })));

export interface PanelContext {
  readonly range: Range;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  readonly utc: boolean;
  /** Grows with each refresh. */
  readonly turn: number;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

interface Shown {
  readonly panel: Panel;
  readonly context: PanelContext;
}

const exploreLink = (q: string, { range }: PanelContext): string =>
  `/explore${queryOf({ q, from: range.from === "" ? undefined : range.from, to: range.to })}`;

export const PanelView = ({ panel, context, acts }: Shown & { acts?: ReactNode }) => (
  <section className={classes("panel", `wide-${panel.width}`, `high-${panel.height}`)} aria-label={panel.title}>
    <header className="panel-head">
      <h3 className="grow cut">
        <Link href={exploreLink(narrowed(panel.q, context.variables), context)} title="Open in Explore">
          {panel.title}
        </Link>
      </h3>
      {acts}
    </header>
    <div className="panel-body">
      {panel.kind === "line" ? <LinePanel panel={panel} context={context} /> : null}
      {panel.kind === "bar" ? <BarPanel panel={panel} context={context} /> : null}
      {panel.kind === "table" ? <TablePanel panel={panel} context={context} /> : null}
      {panel.kind === "number" ? <NumberPanel panel={panel} context={context} /> : null}
    </div>
  </section>
);

interface Answer {
  readonly isPending: boolean;
  readonly isError: boolean;
  readonly error: unknown;
}

/** A panel's failure stays in the panel. */
const Answered = ({ of: answer, empty, children }: { of: Answer; empty: boolean; children: ReactNode }) => {
  if (answer.isError) {
    const problem = asProblem(answer.error);
    return (
      <p className="panel-note" role="alert">
        {problem.message} {problem.suggestion}
      </p>
    );
  }
  if (answer.isPending) return <Waiting />;
  return empty ? <p className="panel-note faint">No event in this time.</p> : children;
};

const Plot = ({ lines, context }: { lines: Lines; context: PanelContext }) => (
  <Suspense fallback={<Waiting />}>
    <Chart lines={lines} annotations={context.annotations} utc={context.utc} onZoom={context.onZoom} />
  </Suspense>
);

const LinePanel = (shown: Shown) => (shown.panel.field === "" ? <LevelLines {...shown} /> : <ValueLines {...shown} />);

const LevelLines = ({ panel, context }: Shown) => {
  const counts = useCounts(narrowed(panel.q, context.variables), context.range, 80, context.turn);
  return (
    <Answered of={counts} empty={totalOf(counts.data) === 0}>
      {counts.data === undefined ? null : <Plot lines={byLevel(counts.data)} context={context} />}
    </Answered>
  );
};

/** More lines than this cannot be told apart. */
const mostLines = 6;

const ValueLines = ({ panel, context }: Shown) => {
  const q = narrowed(panel.q, context.variables);
  const values = useValues(q, panel.field, context.range, mostLines, context.turn);
  const names = (values.data ?? []).map(({ value }) => value);
  const counts = useCountsOf(q, panel.field, names, context.range, context.turn);
  const waits = counts.length > 0 && counts.every(({ data }) => data === undefined);
  return (
    <Answered of={values} empty={names.length === 0}>
      {waits ? (
        <Waiting />
      ) : (
        <Plot
          lines={byValue(
            names,
            counts.map(({ data }) => data),
          )}
          context={context}
        />
      )}
    </Answered>
  );
};

const BarPanel = ({ panel, context }: Shown) => {
  const q = narrowed(panel.q, context.variables);
  const field = panel.field || "service";
  const values = useValues(q, field, context.range, 5 * panel.height, context.turn);
  const most = Math.max(1, ...(values.data ?? []).map(({ count }) => count));
  return (
    <Answered of={values} empty={values.data?.length === 0}>
      <ul className="bars">
        {values.data?.map(({ value, count }) => (
          <li key={value}>
            <Link className="bar-row" href={exploreLink(withFilter(q, filterOf(field, value), false), context)}>
              <span className="bar-fill" style={{ width: `${(count / most) * 100}%` }} />
              <span className="grow cut">{value || "(empty)"}</span>
              <span className="figures soft">{compact.format(count)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Answered>
  );
};

const TablePanel = (shown: Shown) =>
  shown.panel.field === "" ? <LatestTable {...shown} /> : <ValueTable {...shown} />;

const ValueTable = ({ panel, context }: Shown) => {
  const q = narrowed(panel.q, context.variables);
  const values = useValues(q, panel.field, context.range, 50, context.turn);
  const counts = useCounts(q, context.range, 1, context.turn);
  const total = totalOf(counts.data);
  return (
    <Answered of={values} empty={values.data?.length === 0}>
      <table className="list">
        <thead>
          <tr>
            <th>{panel.field}</th>
            <th className="number">Events</th>
            <th className="number">Share</th>
          </tr>
        </thead>
        <tbody>
          {values.data?.map(({ value, count }) => (
            <tr key={value}>
              <td>
                <Link href={exploreLink(withFilter(q, filterOf(panel.field, value), false), context)}>
                  {value || "(empty)"}
                </Link>
              </td>
              <td className="number">{number.format(count)}</td>
              <td className="number soft">{total === 0 ? "" : `${((count / total) * 100).toFixed(1)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Answered>
  );
};

const LatestTable = ({ panel, context }: Shown) => {
  const q = narrowed(panel.q, context.variables);
  const latest = useLatest(q, context.range, context.turn, true);
  return (
    <Answered of={latest} empty={latest.data?.length === 0}>
      <ul className="latest">
        {latest.data?.map((event) => (
          <li key={event.id}>
            <Link href={`${exploreLink(q, context)}&event=${encodeURIComponent(event.id)}`.replace(/^([^?]*)&/, "$1?")}>
              <LevelSign level={event.level} />
              <span className="faint figures">{formatStamp(event.timestamp, context.utc, 0).slice(11)}</span>
              <span className="soft cut latest-service">{event.service}</span>
              <span className="mono cut grow">{event.message}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Answered>
  );
};

/** The same length of time, just before; to the minute, so that the question stays the same while it is asked. */
const before = (range: Range): Range => {
  const [from, to] = boundsOf(range, Date.now()).map((at) => Math.floor(at / 60_000) * 60_000) as [number, number];
  return { from: new Date(from - (to - from)).toISOString(), to: new Date(from).toISOString() };
};

const NumberPanel = ({ panel, context }: Shown) => {
  const q = narrowed(panel.q, context.variables);
  const now = useCounts(q, context.range, 1, context.turn);
  const earlier = useCounts(q, before(context.range), 1, context.turn, context.range.from !== "");
  const [is, was] = [totalOf(now.data), totalOf(earlier.data)];
  const change = was === 0 ? undefined : (is - was) / was;
  return (
    <Answered of={now} empty={false}>
      <p className="big-number figures" title={number.format(is)}>
        {is < 100_000 ? number.format(is) : compact.format(is)}
      </p>
      <p className="small soft">
        {change === undefined
          ? "events"
          : `${change >= 0 ? "+" : "−"}${Math.abs(change) < 10 ? `${Math.round(Math.abs(change) * 100)} %` : `${Math.round(Math.abs(change))}×`} against the time before`}
      </p>
    </Answered>
  );
};
