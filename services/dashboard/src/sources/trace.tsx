/** "Where did my event go?": the way of acknowledged events, from the ledger. */
import { CircleCheck, CircleDashed, CircleSlash, EyeOff, Inbox, Route } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { Button, Input } from "../ui/controls.tsx";
import { Failed, Waiting } from "../ui/states.tsx";
import { number } from "../ui/time.ts";
import { type ReceiptRecord, useReceipt } from "./data.ts";

export const Trace = ({ text, onText }: { text: string; onText: (text: string) => void }) => {
  const [typed, setTyped] = useState(text);
  const receipt = useReceipt(text);
  const event = /^(?:[\w.-]+:)?\d+-\d+-\d+$/.test(text) ? text : undefined;
  return (
    <section aria-label="Where did my event go?" className="stack-small">
      <h2>Where did my event go?</h2>
      <p className="soft small">
        Paste the receipt of an answer (<code>3-1742x100</code>) or an event's id (<code>3-1742-0</code>).
      </p>
      <form
        className="row"
        onSubmit={(given) => {
          given.preventDefault();
          onText(typed.trim());
        }}
      >
        <Input
          aria-label="Receipt or event id"
          className="mono trace-input"
          placeholder="3-1742x100"
          value={typed}
          onChange={(given) => setTyped(given.target.value)}
        />
        <Button type="submit" icon={<Route size={14} />}>
          Trace
        </Button>
      </form>
      <div aria-live="polite">
        {text === "" ? null : receipt.isPending ? (
          <Waiting what="Asking the ledger" />
        ) : receipt.isError ? (
          <Failed what="It cannot be traced" error={receipt.error} />
        ) : (
          receipt.data.records.map((record) => <Way key={record.record} record={record} event={event} />)
        )}
      </div>
    </section>
  );
};

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);
const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name.replaceAll("_", " ")} ${number.format(count)}`)
    .join(", ");

const Way = ({ record, event }: { record: ReceiptRecord; event: string | undefined }) => {
  const { accepted, stored, dropped, redactions, state } = record;
  const [place = "", offset = ""] = record.record.split(/[-x]/);
  const lost = sum(dropped);
  return (
    <ol className="way">
      <Step
        icon={<Inbox size={16} />}
        title={`Accepted ${event === undefined ? number.format(accepted) : "the record it is in"}`}
      >
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
            title={sum(redactions) === 0 ? "Nothing redacted" : `Redacted ${number.format(sum(redactions))}`}
          >
            {sum(redactions) === 0 ? "No detector found anything secret or personal." : listed(redactions)}
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
              : `${number.format(stored)} of ${number.format(accepted)} accepted.`}{" "}
            {event === undefined ? null : (
              <Link href={`/explore?from=&event=${encodeURIComponent(event)}`}>Open the event</Link>
            )}
          </Step>
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
