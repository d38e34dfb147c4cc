/** Where an event went, from its acknowledgement to the day it expires, and what was taken out of it on the way. */
import { useReceipt } from "../sources/data.ts";
import { Way } from "../sources/way.tsx";
import { Read } from "../ui/parts.tsx";
import { type EventView, useEvent } from "./data.ts";
import { detectorWords, redactionsOf } from "./redactions.ts";

export const EventReceipt = ({ event, utc }: { event: EventView; utc: boolean }) => {
  const receipt = useReceipt(event.id);
  const whole = useEvent(event.id, undefined);
  const redactions = redactionsOf(event);
  return (
    <div className="stack">
      <section className="stack-small" aria-label="Redacted in this event">
        <h3>Redacted in this event</h3>
        {redactions.length === 0 ? (
          <p className="soft small">Nothing: no detector found anything secret or personal in it.</p>
        ) : (
          <ul className="redactions">
            {redactions.map(({ field, detector, count }) => (
              <li key={`${field}/${detector}`}>
                <span className="redacted">{detectorWords(detector)}</span>
                <span>
                  in <code>{field}</code>
                  {count > 1 ? `, ${count} times` : ""}
                </span>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className="stack-small" aria-label="Where it went">
        <h3>Where it went</h3>
        <Read from={receipt} what="its way">
          {({ records }) =>
            records.map((record) => (
              <Way
                key={record.record}
                record={record}
                utc={utc}
                expires={whole.isPlaceholderData ? undefined : whole.data?.expires_on}
                ofEvent
              />
            ))
          }
        </Read>
      </section>
    </div>
  );
};
