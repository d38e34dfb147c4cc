/** Explore: from a question to the events, and from an event to the next question. The address holds all of it. */
import "./explore.css";
import { ArrowUp, Flag, Rows3, SlidersHorizontal, WrapText } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { useMay } from "../account/acts.tsx";
import { currentOrganization, useMe } from "../account/session.ts";
import { asProblem, Problem } from "../api/client.ts";
import { forgetKey } from "../api/key.ts";
import { ViewsMenu } from "../saved/views-menu.tsx";
import { useStored } from "../shell/stored.ts";
import { Button, IconButton } from "../ui/controls.tsx";
import { Failed } from "../ui/states.tsx";
import { number } from "../ui/time.ts";
import { useEvent, useFacets, useFields, useHistogram, useNewer, usePlaces, useSearch, useTable } from "./data.ts";
import { Drawer } from "./drawer.tsx";
import { EventTable } from "./event-table.tsx";
import { useExploreCommands } from "./explore-commands.ts";
import { Facets, shownValues } from "./facets.tsx";
import { Histogram } from "./histogram.tsx";
import { marksOf, splitPipes, withFilter, wrongOf } from "./language.ts";
import { useAnnotations, useFiring } from "./marks-data.ts";
import { NewMark } from "./new-mark.tsx";
import { NothingFound } from "./nothing-found.tsx";
import { PipesTable } from "./pipes-table.tsx";
import { QueryBar, type QueryBarHandle } from "./query-bar.tsx";
import { SearchStatus } from "./search-status.tsx";
import type { Progress } from "./search-stream.ts";
import { TakeAway } from "./take-away.tsx";
import { TimePicker } from "./time-picker.tsx";
import { absolute, boundsOf } from "./time-range.ts";
import { rangeOf } from "./trace-time.ts";
import { useExploreState } from "./url-state.ts";

const facetFields = ["level", "service", "host", "source"];
/** Asked for anyhow, or different in each event. */
const notFacets = new Set([...facetFields, "message", "trace_id", "span_id", "timestamp"]);

const counted = (count: number, more: boolean, what: string): string =>
  `${number.format(count)}${more ? "+" : ""} ${what}${count === 1 && !more ? "" : "s"}`;

export const Explore = () => {
  const url = useExploreState();
  const { state, change } = url;
  const { q, range, place, pinned, utc, wrap } = state;
  const [turn, setTurn] = useState(0);
  const [picking, setPicking] = useState(false);
  const [dense, setDense] = useStored("dense", false);
  const [facetsShown, setFacetsShown] = useStored("facets", matchMedia("(min-width: 900px)").matches);
  const [progress, setProgress] = useState<Progress>();
  const [marking, setMarking] = useState(false);
  const bar = useRef<QueryBarHandle>(null);
  const may = useMay();
  // Above a table stands what it was made of: the events before the first pipe.
  const [found, pipes] = splitPipes(q);
  const asked = { q: found, range, place, turn };
  const piped = pipes !== "";
  const search = useSearch(asked, setProgress, !piped);
  const table = useTable({ ...asked, q }, piped);
  const histogram = useHistogram(asked, 90);
  const fields = useFields(range, place);
  const places = usePlaces();
  const home = places.data?.find((one) => one.home);
  const others = (fields.data?.fields ?? []).filter(({ name, coverage }) => coverage > 0.05 && !notFacets.has(name));
  const more = others.filter(({ type }) => !/time|number/.test(type)).slice(0, 6);
  const numbers = others.filter(({ type }) => type === "number").slice(0, 3);
  const facets = useFacets(asked, [...facetFields, ...more.map(({ name }) => name)], shownValues);
  const events = useMemo(() => search.data?.pages.flatMap((page) => page.events) ?? [], [search.data]);
  const annotations = useAnnotations(range, turn);
  const firing = useFiring(currentOrganization(useMe().data)?.permissions.includes("alerts.read") ?? false);
  const chartMarks = useMemo(
    () => [...(annotations.data ?? []), ...(firing.data ?? [])],
    [annotations.data, firing.data],
  );
  const newer = useNewer(asked, events[0]?.timestamp);
  const known = events.find(({ id }) => id === state.event);
  // No index finds an event of a bucket by its id.
  const alone = useEvent(place === "" ? state.event : undefined, known);
  const open = known ?? (state.event === undefined ? undefined : alone.data);
  const marks = useMemo(() => marksOf(q), [q]);
  const stats = piped ? table.data?.stats : search.data?.pages[0]?.stats;
  const { isPlaceholderData: stale, isPending: pending } = piped ? table : search;

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
  useExploreCommands(url, {
    focusQuery: () => bar.current?.focus(),
    pickTime: () => setPicking(true),
    refresh,
    step,
    enter: () =>
      open === undefined
        ? step(1)
        : document.querySelector<HTMLElement>('.drawer [role="tab"][data-state="active"]')?.focus(),
    toggle: () => (state.event === undefined ? step(1) : change({ event: undefined })),
    mark: () => setMarking(true),
  });

  const failure = piped ? table.error : search.error;
  const problem = failure === null ? undefined : asProblem(failure);
  const refused = wrongOf(problem);

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
        {places.data?.length || place !== "" ? (
          <select
            className="input explore-place"
            aria-label="Place"
            value={place}
            onChange={(event) => change({ place: event.target.value, event: undefined })}
          >
            <option value="">{home === undefined ? "Astralog" : `ClickHouse: ${home.name}`}</option>
            {(places.data ?? [])
              .filter((one) => one !== home)
              .map(({ id, name, kind, searchable }) => (
                <option key={id} value={id} disabled={!searchable}>
                  {kind === "astralog"
                    ? "Astralog, from before"
                    : `${kind === "bucket" ? "Bucket" : "ClickHouse"}: ${name}`}
                  {searchable ? "" : " (encrypted: bring days back on the Data page)"}
                </option>
              ))}
          </select>
        ) : null}
      </div>
      {histogram.data ? (
        <Histogram
          data={histogram.data}
          marks={chartMarks}
          live={range.to === ""}
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
        <SearchStatus
          running={(stale || pending) && problem === undefined}
          found={
            piped
              ? counted(table.data?.rows.length ?? 0, table.data?.truncated === true, "row")
              : counted(events.length, hasNextPage, "event")
          }
          progress={piped ? undefined : progress}
          {...{ range, stats }}
        />
        {newer.data ? (
          <Button small look="quiet" icon={<ArrowUp size={14} />} onClick={refresh}>
            {newer.data > 100 ? "100+" : newer.data} new
          </Button>
        ) : null}
        {may("annotations.write") ? (
          <IconButton label="Mark a moment" keys="M" onClick={() => setMarking(true)}>
            <Flag size={15} />
          </IconButton>
        ) : null}
        <IconButton label="Wrap" keys="W" on={wrap} onClick={() => change({ wrap: !wrap })}>
          <WrapText size={15} />
        </IconButton>
        <IconButton label="Dense rows" on={dense} onClick={() => setDense(!dense)}>
          <Rows3 size={15} />
        </IconButton>
        <ViewsMenu page="explore" section="Explore" />
        <TakeAway {...{ q, range, place }} />
      </div>
      <div className="explore-body">
        {facetsShown && facets.data ? (
          <Facets
            facets={facets.data.facets}
            numbers={numbers.map(({ name }) => name)}
            onFilter={filter}
            onQuery={run}
            {...{ asked, q }}
          />
        ) : null}
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
          ) : piped && refused === undefined ? (
            table.data === undefined ? null : (
              <PipesTable
                table={table.data}
                onFilter={filter}
                onZoom={(from, to) => change({ range: absolute(from, to) })}
                {...{ q, utc, stale }}
              />
            )
          ) : events.length === 0 && (!pending || piped) ? (
            <NothingFound
              {...{ q, range, place, utc, stats }}
              refused={refused !== undefined}
              onQuery={(next) => change({ q: next })}
              onRange={(next) => change({ range: next })}
            />
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
            part={state.part}
            onPart={(part) => change({ part })}
            onEvent={(event) => change({ event })}
            onTrace={(trace) => change({ q: `trace_id:${open.trace_id}`, range: rangeOf(trace) })}
            pinned={pinned}
            utc={utc}
            place={place}
            marks={marks}
            onFilter={filter}
            onClose={() => change({ event: undefined })}
            onPin={(field) =>
              change({ pinned: pinned.includes(field) ? pinned.filter((one) => one !== field) : [...pinned, field] })
            }
          />
        )}
      </div>
      {marking ? (
        <NewMark
          at={open === undefined ? Math.min(end, Date.now()) : Date.parse(open.timestamp)}
          utc={utc}
          onClose={() => setMarking(false)}
        />
      ) : null}
    </div>
  );
};
