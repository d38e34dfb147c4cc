/** Lines as they come, the newest at the bottom. It follows the end until somebody scrolls up to read. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { EventCells } from "../explore/event-row.tsx";
import { classes } from "../ui/controls.tsx";
import type { Line } from "./listen.ts";

interface TailTableProps {
  readonly lines: readonly Line[];
  readonly selected: string | undefined;
  readonly marks: RegExp | undefined;
  readonly pinned: readonly string[];
  readonly utc: boolean;
  readonly wrap: boolean;
  readonly dense: boolean;
  readonly follows: boolean;
  readonly onFollow: (follows: boolean) => void;
  readonly onSelect: (id: string) => void;
}

const nearEnd = 60;
export const idOf = (line: Line): string => (line.kind === "event" ? line.event.id : line.id);

export const TailTable = (props: TailTableProps) => {
  const { lines, selected, wrap, dense, follows, onFollow } = props;
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => (dense ? 24 : 30),
    overscan: 12,
    getItemKey: (index) => {
      const line = lines[index];
      return line === undefined ? index : idOf(line);
    },
  });
  const live = useRef(follows);
  live.current = follows;
  useEffect(() => {
    if (follows && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: "end" });
  }, [lines, follows, rows]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another way to draw rows makes them another height.
  useEffect(() => rows.measure(), [wrap, dense, rows]);
  return (
    <div
      ref={box}
      className={classes("events tail-events", wrap && "is-wrapped", dense && "is-dense")}
      role="grid"
      aria-label="Live events, newest last"
      aria-rowcount={lines.length}
      tabIndex={0}
      onWheel={(event) => event.deltaY < 0 && live.current && onFollow(false)}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        if (!live.current && scrollHeight - scrollTop - clientHeight < nearEnd) onFollow(true);
      }}
      onTouchMove={() => live.current && onFollow(false)}
    >
      <div className="events-all" role="rowgroup" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start, key }) => {
          const line = lines[index];
          if (line === undefined) return null;
          const common = { ref: rows.measureElement, "data-index": index, "aria-rowindex": index + 1 };
          const style = { transform: `translateY(${start}px)` };
          if (line.kind === "note") {
            return (
              <div key={key} {...common} role="row" className="event tail-note" style={style}>
                <span role="gridcell">{line.text}</span>
              </div>
            );
          }
          const { event } = line;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter do it from anywhere on the page.
            <div
              key={key}
              {...common}
              role="row"
              tabIndex={-1}
              aria-selected={event.id === selected}
              className={classes("event", `event-${event.level || "none"}`, event.id === selected && "is-selected")}
              style={style}
              onClick={() => props.onSelect(event.id)}
            >
              <EventCells event={event} marks={props.marks} pinned={props.pinned} utc={props.utc} days={false} />
            </div>
          );
        })}
      </div>
    </div>
  );
};
