/** The way of one acknowledged record, as the ledger has it, step by step. */
import { CalendarX, CircleCheck, CircleDashed, CircleSlash, EyeOff, Inbox } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { formatDuration, formatStamp, number } from "../ui/time.ts";
import type { ReceiptRecord } from "./data.ts";

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);
const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name.replaceAll("_", " ")} ${number.format(count)}`)
    .join(", ");

interface WayProps {
  readonly record: ReceiptRecord;
  readonly utc?: boolean;
  /** It is one event's way that is asked for, not the record's. */
  readonly ofEvent?: boolean;
  /** The event's id, where a link to it helps. */
  readonly event?: string | undefined;
  /** The day on which it is deleted, UTC. */
  readonly expires?: string | undefined;
}

export const Way = ({ record, utc = false, ofEvent = false, event, expires }: WayProps) => {
  const { accepted, stored, dropped, redactions, state, received_at, stored_at, ruleset } = record;
  const [place = "", offset = ""] = record.record.split(/[-x]/);
  const lost = sum(dropped);
  return (
    <ol className="way">
      <Step
        icon={<Inbox size={16} />}
        title={ofEvent ? "Accepted with the record it is in" : `Accepted ${number.format(accepted)}`}
      >
        {received_at === null ? "" : `${formatStamp(received_at, utc)}. `}
        Kafka confirmed it on all replicas: partition {place}, offset {number.format(Number(offset))}.
      </Step>
      {state === "pending" ? (
        <Step icon={<CircleDashed size={16} />} title="On its way" look="waits">
          Accepted and not stored yet. This asks again by itself.
        </Step>
      ) : (
        <>
          <Step
            icon={<EyeOff size={16} />}
            title={
              sum(redactions) === 0
                ? "Nothing redacted"
                : `Redacted ${number.format(sum(redactions))}${ofEvent && accepted > 1 ? " in the whole record" : ""}`
            }
          >
            {sum(redactions) === 0 ? "No detector found anything secret or personal." : `${listed(redactions)}.`}
            {ruleset === null ? null : (
              <>
                {" "}
                Rules <code>{ruleset.slice(0, 8)}</code>.
              </>
            )}
          </Step>
          {lost === 0 ? null : (
            <Step icon={<CircleSlash size={16} />} title={`Not stored: ${number.format(lost)}`} look="bad">
              {listed(dropped)}
            </Step>
          )}
          <Step
            icon={<CircleCheck size={16} />}
            title={`Stored ${number.format(stored)}`}
            look={stored > 0 ? "good" : undefined}
          >
            {stored === accepted
              ? "Each event of the record, once."
              : `${number.format(stored)} of ${number.format(accepted)} accepted.`}
            {received_at === null || stored_at === null
              ? ""
              : ` ${formatDuration(Math.max(0, Date.parse(stored_at) - Date.parse(received_at)))} after it was received.`}{" "}
            {event === undefined ? null : (
              <Link href={`/explore?from=&event=${encodeURIComponent(event)}`}>Open the event</Link>
            )}
          </Step>
          {expires === undefined ? null : (
            <Step icon={<CalendarX size={16} />} title={`Kept until ${expires}`}>
              By its source's retention, in days of UTC.
            </Step>
          )}
        </>
      )}
    </ol>
  );
};

const Step = ({
  icon,
  title,
  look,
  children,
}: {
  icon: ReactNode;
  title: string;
  look?: "good" | "bad" | "waits" | undefined;
  children: ReactNode;
}) => (
  <li className={`step ${look === undefined ? "" : `is-${look}`}`}>
    <span className="step-icon" aria-hidden>
      {icon}
    </span>
    <div>
      <strong>{title}</strong>
      <p className="soft small">{children}</p>
    </div>
  </li>
);
