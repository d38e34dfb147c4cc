/** The events found, newest first: only the rows in sight are drawn, and older ones are asked for when the end comes near. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { classes } from "../ui/controls.tsx";
import type { EventView } from "./data.ts";
import { EventCells } from "./event-row.tsx";

interface EventTableProps {
  readonly events: readonly EventView[];
  readonly selected: string | undefined;
  readonly marks: RegExp | undefined;
  readonly pinned: readonly string[];
  readonly utc: boolean;
  readonly wrap: boolean;
  readonly dense: boolean;
  readonly stale: boolean;
  /** Whether the window is longer than a day, so that a time needs its date. */
  readonly days: boolean;
  readonly onSelect: (id: string) => void;
  readonly onEnd: () => void;
}

export const EventTable = (props: EventTableProps) => {
  const { events, selected, wrap, dense, onEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => (dense ? 24 : 30),
    overscan: 12,
    getItemKey: (index) => events[index]?.id ?? index,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (events.length > 0 && last >= events.length - 20) onEnd();
  }, [last, events.length, onEnd]);
  const at = events.findIndex(({ id }) => id === selected);
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at, { align: "auto" });
  }, [at, rows]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another way to draw rows makes them another height.
  useEffect(() => rows.measure(), [wrap, dense, rows]);
  return (
    <div
      ref={box}
      className={classes("events", wrap && "is-wrapped", dense && "is-dense", props.stale && "is-stale")}
      role="grid"
      aria-label="Events, newest first"
      aria-rowcount={events.length}
      tabIndex={0}
    >
      <div className="events-all" role="rowgroup" style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const event = events[index];
          if (event === undefined) return null;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter do it from anywhere on the page.
            <div
              key={key}
              ref={rows.measureElement}
              data-index={index}
              role="row"
              tabIndex={-1}
              aria-rowindex={index + 1}
              aria-selected={event.id === selected}
              className={classes("event", `event-${event.level || "none"}`, event.id === selected && "is-selected")}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => props.onSelect(event.id)}
            >
              <EventCells event={event} marks={props.marks} pinned={props.pinned} utc={props.utc} days={props.days} />
            </div>
          );
        })}
      </div>
    </div>
  );
};
