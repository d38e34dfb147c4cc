/** Events in the drawer, one a line: where each stands in time, what it says; a click opens it. */
import type { ReactNode } from "react";
import { classes } from "../ui/controls.tsx";
import { formatStamp } from "../ui/time.ts";
import type { EventView } from "./data.ts";
import { LevelSign, Message } from "./event-row.tsx";

interface EventLinesProps {
  readonly events: readonly EventView[];
  readonly current: string;
  readonly utc: boolean;
  readonly label: string;
  readonly onEvent: (id: string) => void;
  /** Instead of the time of day. */
  readonly when?: (event: EventView) => ReactNode;
}

export const EventLines = ({ events, current, utc, label, onEvent, when }: EventLinesProps) => (
  <ol className="lines" aria-label={label}>
    {events.map((event) => (
      <li key={event.id}>
        <button
          type="button"
          className={classes("line", event.id === current && "is-selected")}
          aria-current={event.id === current ? "true" : undefined}
          title={event.timestamp}
          onClick={() => onEvent(event.id)}
        >
          <LevelSign level={event.level} />
          {when?.(event) ?? <span className="figures soft">{formatStamp(event.timestamp, utc).slice(11)}</span>}
          <span className="line-text mono">
            <Message text={event.message} marks={undefined} />
          </span>
        </button>
      </li>
    ))}
  </ol>
);
