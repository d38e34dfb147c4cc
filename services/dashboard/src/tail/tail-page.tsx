/** Live tail: events on the screen as they are acknowledged, by the same query as everywhere. */
import "../explore/explore.css";
import "./tail.css";
import { ArrowDownToLine, Eraser, Pause, Play, Rows3, Search, WrapText } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useFields } from "../explore/data.ts";
import { Drawer } from "../explore/drawer.tsx";
import { marksOf, withFilter, wrongOf } from "../explore/language.ts";
import { QueryBar, type QueryBarHandle } from "../explore/query-bar.tsx";
import { rangeOf } from "../explore/trace-time.ts";
import { useExploreState, writeState } from "../explore/url-state.ts";
import { ViewsMenu } from "../saved/views-menu.tsx";
import { useCommands } from "../shell/commands.tsx";
import { useStored } from "../shell/stored.ts";
import { Button, classes, IconButton } from "../ui/controls.tsx";
import { Empty, Failed } from "../ui/states.tsx";
import { compact, number } from "../ui/time.ts";
import { idOf, TailTable } from "./tail-table.tsx";
import { type Tail, useTail } from "./use-tail.ts";

/** What completion offers: the fields of the last hour. */
const recent = { from: "-1h", to: "" };

export const TailPage = () => {
  const { state, change } = useExploreState();
  const { q, pinned, utc, wrap } = state;
  const [, go] = useLocation();
  const [paused, setPaused] = useState(false);
  const [follows, setFollows] = useState(true);
  const [dense, setDense] = useStored("dense", false);
  const bar = useRef<QueryBarHandle>(null);
  const fields = useFields(recent);
  const tail = useTail(q, paused);
  const { lines, problem } = tail;
  const marks = useMemo(() => marksOf(q), [q]);
  const line = lines.find((one) => idOf(one) === state.event);
  const open = line?.kind === "event" ? line.event : undefined;

  const run = (next: string): void => {
    change({ q: next, event: undefined });
    setFollows(true);
  };
  const step = (by: number): void => {
    const at = lines.findIndex((one) => idOf(one) === state.event);
    const from = at < 0 ? lines.length : at;
    for (let i = from + by; i >= 0 && i < lines.length; i += by) {
      const next = lines[i];
      if (next?.kind !== "event") continue;
      setFollows(false);
      change({ event: next.event.id });
      return;
    }
  };
  const toExplore = (): void =>
    go(`/explore?${writeState({ ...state, event: undefined, range: { from: "-15m", to: "" } })}`);

  useCommands([
    { id: "ask", title: "Write a query", section: "Live tail", keys: "/", run: () => bar.current?.focus() },
    {
      id: "pause",
      title: paused ? "Go on" : "Pause",
      section: "Live tail",
      keys: "space",
      run: () => setPaused(!paused),
    },
    { id: "end", title: "Follow the newest", section: "Live tail", keys: "f", run: () => setFollows(true) },
    { id: "clear", title: "Clear the screen", section: "Live tail", keys: "c", run: tail.clear },
    { id: "older", title: "Event above", section: "Live tail", keys: "k", quiet: true, run: () => step(-1) },
    { id: "newer", title: "Event below", section: "Live tail", keys: "j", quiet: true, run: () => step(1) },
    {
      id: "close",
      title: "Close the event",
      section: "Live tail",
      keys: "escape",
      quiet: true,
      run: () => change({ event: undefined }),
    },
    { id: "wrap", title: "Wrap long messages", section: "Live tail", keys: "w", run: () => change({ wrap: !wrap }) },
    {
      id: "utc",
      title: utc ? "Show local times" : "Show times in UTC",
      section: "Live tail",
      keys: "u",
      run: () => change({ utc: !utc }),
    },
    { id: "to-explore", title: "Search this in Explore", section: "Live tail", keys: "x", run: toExplore },
  ]);

  const refused = wrongOf(problem);
  return (
    <div className="explore">
      <div className="explore-ask">
        <QueryBar ref={bar} q={q} range={recent} fields={fields.data?.fields ?? []} refused={refused} onRun={run} />
      </div>
      <div className="explore-bar">
        <Button
          small
          look={paused ? "primary" : "plain"}
          icon={paused ? <Play size={14} /> : <Pause size={14} />}
          onClick={() => setPaused(!paused)}
        >
          {paused ? (tail.held > 0 ? `Show ${compact.format(tail.held)} new` : "Go on") : "Pause"}
        </Button>
        <Pulse tail={tail} paused={paused} />
        {follows ? null : (
          <Button small look="quiet" icon={<ArrowDownToLine size={14} />} onClick={() => setFollows(true)}>
            Newest
          </Button>
        )}
        <ViewsMenu page="tail" section="Live tail" />
        <IconButton label="Search this in Explore" keys="X" onClick={toExplore}>
          <Search size={15} />
        </IconButton>
        <IconButton label="Clear" keys="C" onClick={tail.clear}>
          <Eraser size={15} />
        </IconButton>
        <IconButton label="Wrap" keys="W" on={wrap} onClick={() => change({ wrap: !wrap })}>
          <WrapText size={15} />
        </IconButton>
        <IconButton label="Dense rows" on={dense} onClick={() => setDense(!dense)}>
          <Rows3 size={15} />
        </IconButton>
      </div>
      <div className="explore-body">
        <div className="explore-found">
          {problem !== undefined && refused === undefined && lines.length === 0 && tail.state === "away" ? (
            <Failed what="The live tail cannot be opened" error={problem} />
          ) : lines.length === 0 ? (
            <Silence tail={tail} q={q} onAll={() => run("")} onExplore={toExplore} />
          ) : (
            <TailTable
              {...{ lines, marks, pinned, utc, wrap, dense, follows }}
              selected={state.event}
              onFollow={setFollows}
              onSelect={(id) => {
                setFollows(false);
                change({ event: id === state.event ? undefined : id });
              }}
            />
          )}
        </div>
        {open === undefined ? null : (
          <Drawer
            event={open}
            part={state.part}
            onPart={(part) => change({ part })}
            onEvent={(event) =>
              go(`/explore?${writeState({ ...state, q: "", event, range: { from: "-15m", to: "" } })}`)
            }
            onTrace={(trace) =>
              go(
                `/explore?${writeState({ ...state, event: undefined, q: `trace_id:${open.trace_id}`, range: rangeOf(trace) })}`,
              )
            }
            pinned={pinned}
            utc={utc}
            marks={marks}
            onFilter={(one, exclude) => run(withFilter(q, one, exclude))}
            onClose={() => change({ event: undefined })}
            onPin={(field) =>
              change({ pinned: pinned.includes(field) ? pinned.filter((one) => one !== field) : [...pinned, field] })
            }
          />
        )}
      </div>
    </div>
  );
};

const Pulse = ({ tail, paused }: { tail: Tail; paused: boolean }) => {
  const live = tail.state === "live" && !paused;
  const word =
    tail.state === "live" ? (paused ? "Paused" : "Live") : tail.state === "away" ? "Reconnecting" : "Connecting";
  return (
    <p className="pulse small soft figures grow">
      <span className={classes("pulse-dot", live && "is-live")} aria-hidden />
      <span role="status">{word}</span>
      {tail.state === "live" ? (
        <span className="cut">
          {number.format(tail.rate)}/s
          {tail.looked > 0
            ? `, ${compact.format(tail.shown)} of ${compact.format(Math.max(tail.looked, tail.shown))} events match`
            : ""}
        </span>
      ) : null}
    </p>
  );
};

const Silence = ({
  tail,
  q,
  onAll,
  onExplore,
}: {
  tail: Tail;
  q: string;
  onAll: () => void;
  onExplore: () => void;
}) => (
  <Empty title={tail.state === "live" ? "Listening" : "Connecting"}>
    <p className="soft">
      {q === "" ? (
        "Nothing has been sent since this page was opened. Events appear here the moment they are acknowledged."
      ) : (
        <>
          {tail.looked > 0
            ? `${number.format(tail.looked)} events came by, and none matched `
            : "No event came by yet for "}
          <code>{q}</code>.
        </>
      )}
    </p>
    <div className="row wrap">
      {q === "" ? null : <Button onClick={onAll}>Watch everything</Button>}
      <Button onClick={onExplore}>Search what is stored</Button>
    </div>
  </Empty>
);
