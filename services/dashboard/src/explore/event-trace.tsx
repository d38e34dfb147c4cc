/** The events of one trace in their order, each where it stands in the trace's time. */
import { Button } from "../ui/controls.tsx";
import { Read } from "../ui/parts.tsx";
import { formatDuration, number } from "../ui/time.ts";
import { type EventView, useTraceOf } from "./data.ts";
import { EventLines } from "./event-lines.tsx";
import { nanosOf, windowAround } from "./trace-time.ts";

interface EventTraceProps {
  readonly event: EventView;
  readonly utc: boolean;
  readonly place: string;
  readonly onEvent: (id: string) => void;
  readonly onAll: (events: readonly EventView[]) => void;
}

/** A list longer than this is read in the table, not here. */
const shownEvents = 300;

export const EventTrace = ({ event, utc, place, onEvent, onAll }: EventTraceProps) => {
  const trace = useTraceOf(event, place);
  return (
    <Read from={trace} what="the trace">
      {({ events, more }) => {
        const [from, span] = windowAround(events);
        const at = events.findIndex(({ id }) => id === event.id);
        const first = Math.max(0, Math.min(at - shownEvents / 2, events.length - shownEvents));
        const shown = events.slice(first, first + shownEvents);
        const services = new Set(events.map(({ service }) => service)).size;
        return (
          <div className="stack-small">
            <p className="soft small figures">
              {number.format(events.length)}
              {more ? "+" : ""} {events.length === 1 ? "event" : "events"} of {services}{" "}
              {services === 1 ? "service" : "services"} within {formatDuration(span / 1e6)}
              {shown.length < events.length ? `; the ${shownEvents} nearest are shown` : ""}.
            </p>
            <EventLines
              events={shown}
              current={event.id}
              utc={utc}
              label="Events of the trace"
              onEvent={onEvent}
              when={(one) => {
                const after = nanosOf(one.timestamp, from);
                return (
                  <span className="trace-when">
                    <span className="cut">{one.service || one.source}</span>
                    <span className="trace-axis" aria-hidden>
                      <span
                        className={`trace-dot level-${one.level || "none"}`}
                        style={{ left: `${span === 0 ? 0 : (after / span) * 100}%` }}
                      />
                    </span>
                    <span className="figures faint">{after === 0 ? "0" : `+${formatDuration(after / 1e6)}`}</span>
                  </span>
                );
              }}
            />
            <div>
              <Button small onClick={() => onAll(events)}>
                Show them in the list
              </Button>
            </div>
          </div>
        );
      }}
    </Read>
  );
};
