/** Explore: from a question to the events, and from an event to the next question. The address holds all of it. */
import "./explore.css";
import { useQueryClient } from "@tanstack/react-query";
import { ArrowUp, Rows3, SlidersHorizontal, WrapText } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { asProblem, Problem } from "../api/client.ts";
import { forgetKey } from "../api/key.ts";
import { ViewsMenu } from "../saved/views-menu.tsx";
import { useCommands } from "../shell/commands.tsx";
import { useStored } from "../shell/stored.ts";
import { Button, IconButton } from "../ui/controls.tsx";
import { Empty, Failed, Waiting } from "../ui/states.tsx";
import { formatBytes, formatDuration, number } from "../ui/time.ts";
import { useEvent, useFacets, useFields, useHistogram, useNewer, useSearch } from "./data.ts";
import { Drawer } from "./drawer.tsx";
import { EventTable } from "./event-table.tsx";
import { Facets } from "./facets.tsx";
import { Histogram } from "./histogram.tsx";
import { marksOf, withFilter } from "./language.ts";
import { QueryBar, type QueryBarHandle } from "./query-bar.tsx";
import { TakeAway } from "./take-away.tsx";
import { TimePicker } from "./time-picker.tsx";
import { absolute, boundsOf, describeRange, shift, widen } from "./time-range.ts";
import { useExploreState } from "./url-state.ts";

const facetFields = ["level", "service", "host", "source"];

export const Explore = () => {
  const { state, change } = useExploreState();
  const { q, range, pinned, utc, wrap } = state;
  const [turn, setTurn] = useState(0);
  const [picking, setPicking] = useState(false);
  const [dense, setDense] = useStored("dense", false);
  const [facetsShown, setFacetsShown] = useStored("facets", matchMedia("(min-width: 900px)").matches);
  const bar = useRef<QueryBarHandle>(null);
  const client = useQueryClient();
  const asked = { q, range, turn };
  const search = useSearch(asked);
  const histogram = useHistogram(asked, 90);
  const fields = useFields(range);
  const more = (fields.data?.fields ?? [])
    .filter(
      ({ name, coverage, type }) =>
        !facetFields.includes(name) &&
        coverage > 0.05 &&
        !/time|number/.test(type) &&
        !/^(message|trace_id|span_id|timestamp)$/.test(name),
    )
    .slice(0, 6)
    .map(({ name }) => name);
  const facets = useFacets(asked, [...facetFields, ...more]);
  const events = useMemo(() => search.data?.pages.flatMap((page) => page.events) ?? [], [search.data]);
  const newer = useNewer(asked, events[0]?.timestamp);
  const known = events.find(({ id }) => id === state.event);
  const alone = useEvent(state.event, known);
  const open = known ?? alone.data;
  const marks = useMemo(() => marksOf(q), [q]);
  const stats = search.data?.pages[0]?.stats;
  const stale = search.isPlaceholderData;

  const [begin, end] = boundsOf(range, Date.now());
  const days = range.from === "" || end - begin > 86_400_000;

  const refresh = (): void => setTurn((before) => before + 1);
  const run = (next: string): void => (next === q ? refresh() : change({ q: next }));
  const filter = (one: string, exclude: boolean): void => run(withFilter(q, one, exclude));
  const step = (by: number): void => {
    if (stale) return;
    const at = events.findIndex(({ id }) => id === state.event);
    const next = events[Math.max(0, Math.min(events.length - 1, at + by))];
    if (next !== undefined) change({ event: next.id });
  };
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = search;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useCommands([
    { id: "ask", title: "Write a query", section: "Explore", keys: "/", run: () => bar.current?.focus() },
    { id: "time", title: "Choose the time", section: "Explore", keys: "t", run: () => setPicking(true) },
    { id: "again", title: "Search again", section: "Explore", keys: "r", run: refresh },
    { id: "next", title: "Next event", section: "Explore", keys: "j", quiet: true, run: () => step(1) },
    { id: "before", title: "Event before", section: "Explore", keys: "k", quiet: true, run: () => step(-1) },
    {
      id: "close",
      title: "Close the event",
      section: "Explore",
      keys: "escape",
      quiet: true,
      run: () => change({ event: undefined }),
    },
    {
      id: "earlier",
      title: "Earlier",
      section: "Explore",
      keys: "shift+arrowleft",
      run: () => change({ range: shift(range, -0.5, Date.now()) }),
    },
    {
      id: "later",
      title: "Later",
      section: "Explore",
      keys: "shift+arrowright",
      run: () => change({ range: shift(range, 0.5, Date.now()) }),
    },
    {
      id: "wider",
      title: "Twice the time",
      section: "Explore",
      keys: "-",
      run: () => change({ range: widen(range, 2, Date.now()) }),
    },
    {
      id: "narrower",
      title: "Half the time",
      section: "Explore",
      keys: "+",
      run: () => change({ range: widen(range, 0.5, Date.now()) }),
    },
    { id: "wrap", title: "Wrap long messages", section: "Explore", keys: "w", run: () => change({ wrap: !wrap }) },
    {
      id: "utc",
      title: utc ? "Show local times" : "Show times in UTC",
      section: "Explore",
      keys: "u",
      run: () => change({ utc: !utc }),
    },
  ]);

  const problem = search.isError ? asProblem(search.error) : undefined;
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
      {histogram.data ? (
        <Histogram
          data={histogram.data}
          utc={utc}
          stale={histogram.isPlaceholderData}
          onZoom={(from, to) => change({ range: absolute(from, to) })}
          onLevel={(level, exclude) => filter(`level:${level}`, exclude)}
        />
      ) : null}
      <div className="explore-bar">
        <IconButton
          label={facetsShown ? "Hide values" : "Show values"}
          on={facetsShown}
          onClick={() => setFacetsShown(!facetsShown)}
        >
          <SlidersHorizontal size={15} />
        </IconButton>
        <p className="small soft figures grow cut" role="status">
          {stats === undefined
            ? ""
            : `${number.format(events.length)}${hasNextPage ? "+" : ""} events · read ${number.format(stats.rows)} rows, ${formatBytes(stats.bytes)} in ${formatDuration(stats.ms)}`}
        </p>
        {newer.data ? (
          <Button small look="quiet" icon={<ArrowUp size={14} />} onClick={refresh}>
            {newer.data > 100 ? "100+" : newer.data} new
          </Button>
        ) : null}
        {stale || search.isPending ? (
          <>
            <Waiting what="Searching" />
            <Button small look="quiet" onClick={() => void client.cancelQueries({ queryKey: ["events"] })}>
              Cancel
            </Button>
          </>
        ) : null}
        <IconButton label="Wrap" keys="W" on={wrap} onClick={() => change({ wrap: !wrap })}>
          <WrapText size={15} />
        </IconButton>
        <IconButton label="Dense rows" on={dense} onClick={() => setDense(!dense)}>
          <Rows3 size={15} />
        </IconButton>
        <ViewsMenu page="explore" section="Explore" />
        <TakeAway q={q} range={range} />
      </div>
      <div className="explore-body">
        {facetsShown && facets.data ? <Facets facets={facets.data.facets} q={q} onFilter={filter} /> : null}
        <div className="explore-found">
          {problem !== undefined && refused === undefined ? (
            <>
              <Failed what="This search failed" error={problem} onRetry={refresh} />
              {problem instanceof Problem && (problem.status === 401 || problem.status === 403) ? (
                <div className="state">
                  <Button onClick={forgetKey}>Use another key</Button>
                </div>
              ) : null}
            </>
          ) : events.length === 0 && !search.isPending ? (
            <Empty title={refused === undefined ? "No event was found" : "The query needs a change"}>
              <p className="soft">
                {describeRange(range, utc, Date.now())}
                {q === "" ? (
                  ""
                ) : (
                  <>
                    , for <code>{q}</code>
                  </>
                )}
                {stats === undefined ? "" : `, ${number.format(stats.rows)} rows read`}.
              </p>
              <div className="row wrap">
                {range.from === "" ? null : (
                  <Button onClick={() => change({ range: { from: "", to: "" } })}>Look at all time</Button>
                )}
                {q === "" ? null : <Button onClick={() => change({ q: "" })}>Without the query</Button>}
              </div>
            </Empty>
          ) : (
            <EventTable
              events={events}
              selected={state.event}
              marks={marks}
              pinned={pinned}
              utc={utc}
              wrap={wrap}
              dense={dense}
              days={days}
              stale={stale}
              onSelect={(id) => change({ event: id === state.event ? undefined : id })}
              onEnd={onEnd}
            />
          )}
        </div>
        {open === undefined ? null : (
          <Drawer
            event={open}
            pinned={pinned}
            utc={utc}
            marks={marks}
            onFilter={filter}
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
