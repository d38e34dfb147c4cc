/** What the same source, service and host sent just before and after an event. */
import { useState } from "react";
import { Button } from "../ui/controls.tsx";
import { Read } from "../ui/parts.tsx";
import { type EventView, useContextOf } from "./data.ts";
import { EventLines } from "./event-lines.tsx";

interface EventAroundProps {
  readonly event: EventView;
  readonly utc: boolean;
  readonly place: string;
  readonly onEvent: (id: string) => void;
}

const first = 10;
/** As many as the server gives on one side. */
const most = 200;

export const EventAround = ({ event, utc, place, onEvent }: EventAroundProps) => {
  const [before, setBefore] = useState(first);
  const [after, setAfter] = useState(first);
  const around = useContextOf(event, before, after, place);
  return (
    <Read from={around} what="what stands around it">
      {(found) => (
        <div className="stack-small">
          <p className="soft small">
            From source <code>{event.source}</code>
            {event.service === "" ? null : (
              <>
                , service <code>{event.service}</code>
              </>
            )}
            {event.host === "" ? null : (
              <>
                , host <code>{event.host}</code>
              </>
            )}
            , oldest first.
          </p>
          <More
            there={found.before.length}
            asked={before}
            none="Nothing within a day before it."
            label="Earlier ones"
            onMore={setBefore}
          />
          <EventLines
            events={[...found.before, found.event, ...found.after]}
            current={event.id}
            utc={utc}
            label="Events around this one"
            onEvent={onEvent}
          />
          <More
            there={found.after.length}
            asked={after}
            none="Nothing after it yet."
            label="Later ones"
            onMore={setAfter}
          />
        </div>
      )}
    </Read>
  );
};

interface MoreProps {
  readonly there: number;
  readonly asked: number;
  readonly none: string;
  readonly label: string;
  readonly onMore: (count: number) => void;
}

const More = ({ there, asked, none, label, onMore }: MoreProps) =>
  there === 0 ? (
    <p className="faint small">{none}</p>
  ) : there < asked || asked >= most ? null : (
    <div>
      <Button small onClick={() => onMore(Math.min(most, asked * 4))}>
        {label}
      </Button>
    </div>
  );
