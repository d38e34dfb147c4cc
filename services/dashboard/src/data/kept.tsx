/** What is kept by source, what expires when, and whether anything outlived its time. */
import { Fragment } from "react";
import { List, Read, Section } from "../ui/parts.tsx";
import { Empty } from "../ui/states.tsx";
import { formatAgo, formatBytes, number } from "../ui/time.ts";
import { type Kept, type KeptSource, placeWords, useKept } from "./data.ts";
import { useServers } from "./servers-data.ts";

export const KeptPart = () => (
  <Read from={useKept()} what="what is kept">
    {(kept) => (
      <>
        <Residency />
        <Sources of={kept} />
        <Expiries of={kept} />
        <Looks of={kept} />
      </>
    )}
  </Read>
);

/** Said only where events live elsewhere, too. */
const Residency = () => {
  const servers = useServers().data?.connections ?? [];
  const home = servers.find(({ mode }) => mode === "instead");
  const besides = servers.filter(({ mode }) => mode === "beside").map(({ name }) => name);
  if (home !== undefined)
    return (
      <p className="soft">
        What comes lives on your own ClickHouse <strong>{home.name}</strong> ({home.url}) alone, and what is counted
        here is there. Astralog keeps its ledger: how much came, and when, with no content.
      </p>
    );
  if (besides.length === 0) return null;
  return <p className="soft">Events live in this installation's ClickHouse, and on {besides.join(", ")}, too.</p>;
};

const days = (count: number): string => `${number.format(count)} ${count === 1 ? "day" : "days"}`;

/** How long, in words; rules make it a span. */
const spanOf = ({ base, least, most, held }: KeptSource): string => {
  if (held === "all") return "on hold";
  if (base === undefined || least === undefined || most === undefined) return "as it came";
  return least === most ? days(base) : `${days(base)}, by rules ${least} to ${most}`;
};

const Sources = ({ of: { sources, plan, dead_letters } }: { of: Kept }) => {
  const events = sources.reduce((sum, one) => sum + one.events, 0);
  const bytes = sources.reduce((sum, one) => sum + one.bytes, 0);
  return (
    <Section
      title="Kept now"
      about={`In this installation's ClickHouse. Days are counted from the receipt, in UTC; the plan (${plan.name}) allows ${days(plan.retention_days)} at most.`}
    >
      <p>
        <strong className="figure">{number.format(events)}</strong>{" "}
        <span className="soft">
          events, about {formatBytes(bytes)} before compression; {number.format(dead_letters)} dead{" "}
          {dead_letters === 1 ? "letter" : "letters"}
        </span>
      </p>
      {sources.length === 0 ? (
        <Empty title="No source yet" />
      ) : (
        <List heads={["Source", "Events", "-About", "Kept for", "-Since", "Expires next"]}>
          {sources.map((one) => (
            <tr key={one.source}>
              <td>
                <strong>{one.name}</strong>
              </td>
              <td className="figures">{number.format(one.events)}</td>
              <td className="wide-only figures">{formatBytes(one.bytes)}</td>
              <td>
                {spanOf(one)} {one.held === "some" ? <span className="badge">partly on hold</span> : null}
              </td>
              <td className="wide-only figures soft">{one.oldest ?? "–"}</td>
              <td className="figures">
                {one.expires_next === null ? (
                  <span className="soft">nothing</span>
                ) : (
                  <>
                    {one.expires_next} <span className="faint">{number.format(one.expiring)}</span>
                  </>
                )}
              </td>
            </tr>
          ))}
        </List>
      )}
    </Section>
  );
};

const shownDays = 14;

const Expiries = ({ of: { expiries } }: { of: Kept }) => {
  const most = Math.max(1, ...expiries.map(({ events }) => events));
  const later = expiries.slice(shownDays);
  return (
    <Section
      title="What expires next"
      about="By each source's own days. What a rule's query finds may go earlier or later; what a hold finds stays."
    >
      {expiries.length === 0 ? (
        <p className="soft small">Nothing is there that will expire.</p>
      ) : (
        <div className="expiries figures">
          {expiries.slice(0, shownDays).map(({ day, events }) => (
            <Fragment key={day}>
              <span>{day}</span>
              <span className="expiries-bar" style={{ width: `${(events / most) * 100}%` }} />
              <span className="number">{number.format(events)}</span>
            </Fragment>
          ))}
        </div>
      )}
      {later.length === 0 ? null : (
        <p className="faint small">
          {number.format(later.reduce((sum, { events }) => sum + events, 0))} more on {days(later.length)} after that.
        </p>
      )}
    </Section>
  );
};

const Looks = ({ of: { sweep } }: { of: Kept }) => (
  <Section
    title="Nothing outlives its time"
    about="After removal every place is looked through again. Overdue is what is past its time and still there; removed is what was yours."
  >
    {sweep.length === 0 ? (
      <p className="soft small">Nobody has looked yet; the service retention does, within the hour.</p>
    ) : (
      <List heads={["Place", "Overdue", "-Removed", "When", "-Found"]}>
        {sweep.map((one) => (
          <tr key={one.place}>
            <td>{placeWords[one.place] ?? one.place}</td>
            <td className="figures">
              {one.overdue === 0 ? <span className="good">0</span> : <span className="warn">{one.overdue}</span>}
            </td>
            <td className="wide-only figures">{number.format(one.removed)}</td>
            <td className="soft">{formatAgo(one.ended_at)}</td>
            <td className="wide-only soft small">{one.detail}</td>
          </tr>
        ))}
      </List>
    )}
  </Section>
);
