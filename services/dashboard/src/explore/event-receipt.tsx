/** Where an event went, from its acknowledgement to the day it expires, and what was taken out of it on the way. */
import { Link } from "wouter";
import { currentOrganization, useMe } from "../account/session.ts";
import { useReceipt } from "../sources/data.ts";
import { Way } from "../sources/way.tsx";
import { Read } from "../ui/parts.tsx";
import { type EventView, useEvent, useRulesOf, type WholeEvent } from "./data.ts";
import { detectorWords, redactionsOf } from "./redactions.ts";

export const EventReceipt = ({ event, utc }: { event: EventView; utc: boolean }) => {
  const receipt = useReceipt(event.id);
  const whole = useEvent(event.id, undefined);
  const redactions = redactionsOf(event);
  // A query key, with which the page is used, too, may not.
  const mayAlerts = currentOrganization(useMe().data)?.permissions.includes("alerts.read") ?? false;
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
      {whole.isPlaceholderData ? null : <Dropped of={whole.data?.dropped_fields ?? []} />}
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
      {mayAlerts ? <RulesOf event={event} /> : null}
    </div>
  );
};

const Dropped = ({ of: rules }: { of: WholeEvent["dropped_fields"] }) =>
  rules.length === 0 ? null : (
    <section className="stack-small" aria-label="Dropped by age">
      <h3>Dropped by age</h3>
      <ul className="redactions">
        {rules.map(({ rule, fields, except, after_days: days }) => (
          <li key={rule}>
            <span>
              <code>{fields.join(", ")}</code>
              {except.length === 0 ? null : (
                <>
                  {" "}
                  but <code>{except.join(", ")}</code>
                </>
              )}
            </span>
            <span className="soft">
              gone after {days} {days === 1 ? "day" : "days"} by the rule {rule}, if it had them
            </span>
          </li>
        ))}
      </ul>
    </section>
  );

const RulesOf = ({ event }: { event: EventView }) => (
  <section className="stack-small" aria-label="Alerts that look at it">
    <h3>Alerts that look at it</h3>
    <Read from={useRulesOf(event.id)} what="the rules">
      {({ rules, of }) =>
        rules.length === 0 ? (
          <p className="soft small">
            {of === 0
              ? "There is no rule that is switched on."
              : `None: no query of the ${of} rules that are on finds it.`}
          </p>
        ) : (
          <ul className="redactions">
            {rules.map(({ id, name, severity, judged }) => (
              <li key={id}>
                <Link href={`/alerts/rules/${encodeURIComponent(id)}`}>{name}</Link>
                <span className="soft">
                  {severity}
                  {judged ? "" : "; not judged by it, because the rule came into force later"}
                </span>
              </li>
            ))}
          </ul>
        )
      }
    </Read>
  </section>
);
