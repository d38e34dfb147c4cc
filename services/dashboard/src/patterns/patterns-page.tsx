/** Patterns: a million events as the few dozen things that were said, how often, and which of them are new. */
import "../explore/explore.css";
import "../style/pages.css";
import "./patterns.css";
import { Minus, Search } from "lucide-react";
import { useRef, useState } from "react";
import { useLocation } from "wouter";
import { asProblem } from "../api/client.ts";
import { useFields } from "../explore/data.ts";
import { LevelSign } from "../explore/event-row.tsx";
import { QueryBar, type QueryBarHandle } from "../explore/query-bar.tsx";
import { TimePicker } from "../explore/time-picker.tsx";
import { describeRange } from "../explore/time-range.ts";
import { useExploreState, writeState } from "../explore/url-state.ts";
import { ViewsMenu } from "../saved/views-menu.tsx";
import { useCommands } from "../shell/commands.tsx";
import { useStored } from "../shell/stored.ts";
import { Button, classes, IconButton } from "../ui/controls.tsx";
import { Empty, Failed, Waiting } from "../ui/states.tsx";
import { compact, formatAgo, number } from "../ui/time.ts";
import { type Pattern, usePatterns } from "./data.ts";
import { partsOf } from "./parts.ts";

export const PatternsPage = () => {
  const { state, change } = useExploreState();
  const { q, range, utc } = state;
  const [, go] = useLocation();
  const [turn, setTurn] = useState(0);
  const [picking, setPicking] = useState(false);
  const [onlyNew, setOnlyNew] = useStored("patterns.new", false);
  const bar = useRef<QueryBarHandle>(null);
  const fields = useFields(range);
  const patterns = usePatterns({ q, range, turn });
  const { data, isPlaceholderData: stale } = patterns;
  const found = data?.patterns ?? [];
  const fresh = found.filter(({ is_new }) => is_new);
  const shown = onlyNew ? fresh : found;
  const most = Math.max(...shown.map(({ count }) => count), 1);

  const refresh = (): void => setTurn((before) => before + 1);
  const run = (next: string): void => (next === q ? refresh() : change({ q: next }));
  const withPattern = (one: Pattern): string => [q, one.query].filter(Boolean).join(" ");
  const open = (one: Pattern): void => go(`/explore?${writeState({ ...state, q: withPattern(one) })}`);
  const without = (one: Pattern): void => run([q, `-(${one.query})`].filter(Boolean).join(" "));

  useCommands([
    { id: "ask", title: "Write a query", section: "Patterns", keys: "/", run: () => bar.current?.focus() },
    { id: "time", title: "Choose the time", section: "Patterns", keys: "t", run: () => setPicking(true) },
    { id: "again", title: "Look again", section: "Patterns", keys: "r", run: refresh },
    {
      id: "new",
      title: onlyNew ? "Show all patterns" : "Show new patterns only",
      section: "Patterns",
      keys: "f",
      run: () => setOnlyNew(!onlyNew),
    },
  ]);

  const problem = patterns.isError ? asProblem(patterns.error) : undefined;
  const refused =
    problem?.column === undefined
      ? undefined
      : { message: problem.message, column: problem.column, suggestion: problem.suggestion ?? "" };
  return (
    <div className="explore">
      <div className="explore-ask">
        <QueryBar ref={bar} q={q} range={range} fields={fields.data?.fields ?? []} refused={refused} onRun={run} />
        <TimePicker
          range={range}
          utc={utc}
          open={picking}
          onOpen={setPicking}
          onChange={(next) => change({ range: next })}
          onZone={(next) => change({ utc: next })}
        />
      </div>
      <div className="explore-bar">
        <p className="small soft figures grow cut" role="status">
          {data === undefined ? "" : summary(data.patterns.length, data.events, data.sample)}
        </p>
        {stale || patterns.isPending ? <Waiting what="Finding patterns" /> : null}
        <Button small look={onlyNew ? "primary" : "plain"} aria-pressed={onlyNew} onClick={() => setOnlyNew(!onlyNew)}>
          {fresh.length} new
        </Button>
        <ViewsMenu page="patterns" section="Patterns" />
      </div>
      <div className="explore-body">
        <div className={classes("explore-found", stale && "is-stale")}>
          {problem !== undefined && refused === undefined ? (
            <Failed what="No patterns could be found" error={problem} onRetry={refresh} />
          ) : shown.length === 0 && data !== undefined ? (
            <Empty title={onlyNew && found.length > 0 ? "Nothing new was said" : "No event was found"}>
              <p className="soft">
                {onlyNew && found.length > 0
                  ? `All ${found.length} patterns were there in the period before, too.`
                  : `${describeRange(range, utc, Date.now())}. A longer time may hold some.`}
              </p>
              <div className="row wrap">
                {onlyNew && found.length > 0 ? (
                  <Button onClick={() => setOnlyNew(false)}>Show all</Button>
                ) : (
                  <Button onClick={() => change({ range: { from: "-24h", to: "" } })}>Look at 24 hours</Button>
                )}
              </div>
            </Empty>
          ) : (
            <ul className="patterns" aria-label="Patterns, most frequent first">
              {shown.map((one) => (
                <li key={one.template} className="pattern">
                  <button
                    type="button"
                    className="pattern-main"
                    title={`Such as: ${one.example}`}
                    onClick={() => open(one)}
                  >
                    <span className="pattern-count figures">
                      <span className="pattern-bar" style={{ width: `${(one.count / most) * 100}%` }} />
                      <span>{compact.format(one.count)}</span>
                    </span>
                    <span className="pattern-share figures soft">{shareOf(one.share)}</span>
                    <LevelSign level={one.level} />
                    <span className="pattern-text mono">
                      {partsOf(one.template).map(({ text, hole, at }) =>
                        hole ? (
                          <span key={at} className="hole">
                            {text.slice(1, -1)}
                          </span>
                        ) : (
                          text
                        ),
                      )}
                    </span>
                    <span className="pattern-change small">
                      {one.is_new ? <span className="badge badge-new">new</span> : <Change of={one} />}
                    </span>
                    <span className="pattern-seen faint small figures">{formatAgo(one.last_seen)}</span>
                  </button>
                  <span className="pattern-acts">
                    <IconButton label="Only these, in Explore" onClick={() => open(one)}>
                      <Search size={14} />
                    </IconButton>
                    <IconButton label="Without these" onClick={() => without(one)}>
                      <Minus size={14} />
                    </IconButton>
                  </span>
                </li>
              ))}
            </ul>
          )}
        </div>
      </div>
    </div>
  );
};

const summary = (patterns: number, events: number, sample: number): string =>
  `${number.format(patterns)} patterns in ${number.format(events)} events${
    sample < 1 ? `, from every ${number.format(Math.round(1 / sample))}th of them` : ""
  }`;

const shareOf = (share: number): string =>
  share >= 0.1 ? `${Math.round(share * 100)} %` : share >= 0.001 ? `${(share * 100).toFixed(1)} %` : "< 0.1 %";

/** Against the period before; small changes say nothing. */
const Change = ({ of: { count, before } }: { of: Pattern }) => {
  if (before === 0) return null;
  const factor = count / before;
  if (factor < 1.5 && factor > 0.67) return <span className="faint">as before</span>;
  return (
    <span className={factor > 1 ? "warn" : "soft"}>
      {factor > 1 ? `${factor.toFixed(factor < 10 ? 1 : 0)}× more` : `${(1 / factor).toFixed(1)}× less`}
    </span>
  );
};
