/** One incident: its history with the evidence of each change, what people said, and what was sent. */
import "../style/pages.css";
import { Link, useParams } from "wouter";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { post } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo, formatStamp } from "../ui/time.ts";
import { type Change, groupWords, type OneIncident, stateWords, useIncident } from "./data.ts";
import { State } from "./incidents.tsx";
import { Notices } from "./notices.tsx";

const hour = 3_600_000;
/** A match is a moment: what lies around it is shown. */
const marginMs = 60_000;

const searchOf = ({ query, group }: OneIncident["incident"], { window_from: from, window_to: to }: Change): string => {
  const narrowed = Object.entries(group).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const parts = [query.trim() === "" || narrowed.length === 0 ? query : `(${query})`, ...narrowed];
  return `/explore?${new URLSearchParams({
    q: parts.filter((part) => part !== "").join(" "),
    from: new Date(from - (from === to ? marginMs : 0)).toISOString(),
    to: new Date(to + marginMs).toISOString(),
  })}`;
};

const lineOf = (json: string): string => {
  const { time = "", level = "", service = "", message = "" } = JSON.parse(json) as Record<string, string>;
  return [time, level, service, message].filter((part) => part !== "").join(" ");
};

export const IncidentPage = () => {
  const { id = "" } = useParams<{ id: string }>();
  const incident = useIncident(id);
  return (
    <div className="page">
      <p className="small">
        <Link href="/alerts">All incidents</Link>
      </p>
      <Read from={incident} what="the incident">
        {(one) => <Shown of={one} />}
      </Read>
    </div>
  );
};

const Shown = ({ of: one }: { of: OneIncident }) => {
  const acts = useActs("alert-incident", "alert-incidents");
  const may = useMay();
  const say = (what: string, body: object = {}) =>
    void acts.run(() => post(`/alerts/incidents/${one.id}/${what}`, body));
  const taken = one.said.some(({ kind }) => kind === "acknowledgement");
  const { ruleName, severity, group } = one.incident;
  return (
    <>
      <Section
        title={ruleName || one.rule}
        about={`${severity}, ${groupWords(group) || "all events"}, began ${formatAgo(one.created_at)}.`}
        act={
          !may("alerts.write") || one.closed ? null : (
            <div className="row">
              <Button small disabled={acts.busy || taken} onClick={() => say("acknowledge")}>
                {taken ? "Acknowledged" : "Acknowledge"}
              </Button>
              <Button
                small
                disabled={acts.busy}
                onClick={() => say("snooze", { until: new Date(Date.now() + hour).toISOString() })}
              >
                Snooze an hour
              </Button>
              <Button small disabled={acts.busy} onClick={() => say("resolve")}>
                Resolve
              </Button>
            </div>
          )
        }
      >
        <Wrong>{acts.wrong}</Wrong>
        <p>
          <State of={one} />
        </p>
        {acts.dialog}
      </Section>
      <Section title="History" about="Each change with what it was judged on. Lines are redacted.">
        <List heads={["When", "State", "Evidence"]}>
          {one.changes.toReversed().map((change) => (
            <tr key={change.id}>
              <td className="figures">{formatStamp(new Date(change.judged_at).toISOString(), false, 0)}</td>
              <td>{change.kind === "mark" ? "waits for data" : stateWords(change.to_state)}</td>
              <td>
                <div className="break">{change.reason}</div>
                {change.completeness < 1 ? (
                  <div className="warn small">
                    judged on {Math.floor(change.completeness * 1_000) / 10} % of the events
                  </div>
                ) : null}
                {change.lines.slice(0, 3).map((line) => (
                  <div key={line} className="faint small mono break">
                    {lineOf(line)}
                  </div>
                ))}
                <Link href={searchOf(one.incident, change)}>See the events</Link>
              </td>
            </tr>
          ))}
          {one.said.map(({ id, kind, created_at, created_by, comment }) => (
            <tr key={id}>
              <td className="figures">{formatStamp(created_at, false, 0)}</td>
              <td>{kind}</td>
              <td className="break">
                {comment} <span className="faint small mono">{created_by}</span>
              </td>
            </tr>
          ))}
        </List>
      </Section>
      <Section title="Sent" about="Each notice and what came of it.">
        <Notices by={{ incident: one.id }} />
      </Section>
    </>
  );
};
