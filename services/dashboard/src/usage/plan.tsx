/** What the plan allows, and how much of today's is used. */
import { Fragment } from "react";
import { useRead } from "../api/read.ts";
import { Read, Section } from "../ui/parts.tsx";
import { formatAgo, formatBytes, number } from "../ui/time.ts";

interface Limits {
  readonly retention_days: number;
  readonly max_bytes_per_second: number;
  readonly daily_bytes: number;
  readonly partitions: number;
  readonly seats: number;
  readonly features: readonly string[];
}

interface Plan {
  readonly plan: string;
  readonly limits: Limits;
  readonly overridden: readonly string[];
  readonly today: { readonly bytes: number; readonly events: number; readonly resets_at: string };
}

export const usePlan = (enabled = true) => useRead<Plan>("plan", "/organization/plan", enabled);

export const PlanToday = () => (
  <Read from={usePlan()} what="the plan">
    {(plan) => <Today of={plan} />}
  </Read>
);

/** Where the plan cannot be read, what stands above says so. */
export const PlanLimits = () => {
  const plan = usePlan().data;
  return plan === undefined ? null : <Allowed of={plan} />;
};

const near = 0.9;

const Today = ({ of: { plan, limits, today } }: { of: Plan }) => {
  const most = limits.daily_bytes;
  const share = most === 0 ? 0 : today.bytes / most;
  return (
    <Section title="Today" act={<span className="badge">{plan} plan</span>}>
      <p>
        <strong className="figure">{formatBytes(today.bytes)}</strong>{" "}
        <span className="soft">
          {most === 0 ? "stored, without a daily limit" : `of ${formatBytes(most)} a day`},{" "}
          {number.format(today.events)} events
        </span>
      </p>
      {most === 0 ? null : (
        <div
          className="meter"
          role="meter"
          aria-label="Used of today's bytes"
          aria-valuenow={Math.round(share * 100)}
          aria-valuemin={0}
          aria-valuemax={100}
        >
          <div className={share > near ? "is-near" : ""} style={{ width: `${Math.min(100, share * 100)}%` }} />
        </div>
      )}
      <p className="faint small">
        Begins anew {formatAgo(today.resets_at)}, at {today.resets_at.slice(11, 16)} UTC.
        {share >= 1 ? " Until then new events are refused." : share > near ? " It is nearly used up." : ""}
      </p>
    </Section>
  );
};

const featureWords: Readonly<Record<string, string>> = {
  native_producers: "Kafka producers of one's own",
  own_storage: "storage of one's own",
};

const free = (value: number, words: (value: number) => string): string => (value === 0 ? "no limit" : words(value));

const Allowed = ({ of: { limits, overridden } }: { of: Plan }) => {
  const rows: readonly (readonly [keyof Limits, string, string])[] = [
    ["daily_bytes", "Stored in a day", free(limits.daily_bytes, formatBytes)],
    ["max_bytes_per_second", "Sent in a second", free(limits.max_bytes_per_second, formatBytes)],
    ["retention_days", "Kept for, at most", `${number.format(limits.retention_days)} days`],
    ["partitions", "Partitions of a source", number.format(limits.partitions)],
    ["seats", "Members and open invitations", free(limits.seats, (value) => number.format(value))],
    ["features", "Besides", limits.features.map((name) => featureWords[name] ?? name).join(", ") || "nothing"],
  ];
  return (
    <Section title="What the plan allows">
      <dl className="facts facts-long">
        {rows.map(([name, title, value]) => (
          <Fragment key={name}>
            <dt>{title}</dt>
            <dd className="figures">
              {value} {overridden.includes(name) ? <span className="badge badge-new">agreed for you</span> : null}
            </dd>
          </Fragment>
        ))}
      </dl>
    </Section>
  );
};
