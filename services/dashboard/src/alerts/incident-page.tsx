/** One incident: what was found and when, on the events themselves, what people said, and what was sent. */
import "../style/pages.css";
import "../explore/explore.css";
import "./alerts.css";
import { aroundWindow, groupQuery } from "@astralog/schemas/alerts/search";
import { Link, useParams } from "wouter";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { post } from "../api/client.ts";
import { useHistogram } from "../explore/data.ts";
import { Histogram } from "../explore/histogram.tsx";
import { Button, CopyButton } from "../ui/controls.tsx";
import { Menu, MenuItem } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo, formatDuration, formatStamp } from "../ui/time.ts";
import { type Change, groupWords, type OneIncident, percentOf, type Said, stateWords, useIncident } from "./data.ts";
import { State } from "./incidents.tsx";
import { Notices } from "./notices.tsx";

const minute = 60_000;
const hour = 60 * minute;

const iso = (at: number): string => new Date(at).toISOString();

const searchOf = ({ query, group }: OneIncident["incident"], { window_from: from, window_to: to }: Change): string => {
  const around = aroundWindow({ from, to });
  const q = groupQuery(query, group);
  return `/explore?${new URLSearchParams({ q, from: iso(around.from), to: iso(around.to) })}`;
};

const lineOf = (json: string): string => {
  const { at = "", level = "", service = "", message = "" } = JSON.parse(json) as Record<string, string>;
  return [at, level, service, message].filter((part) => part !== "").join(" ");
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

const snoozes = [
  ["For an hour", () => Date.now() + hour],
  ["For four hours", () => Date.now() + 4 * hour],
  ["Until tomorrow, 9:00", () => new Date(new Date().setHours(33, 0, 0, 0)).getTime()],
] as const;

const Shown = ({ of: one }: { of: OneIncident }) => {
  const acts = useActs("alert-incident", "alert-incidents");
  const may = useMay();
  const say = (what: string, body: object = {}) =>
    void acts.run(() => post(`/alerts/incidents/${one.id}/${what}`, body));
  const taken = one.said.some(({ kind }) => kind === "acknowledgement");
  const { ruleName, severity, group, since, until } = one.incident;
  return (
    <>
      <Section
        title={ruleName || one.rule}
        about={`${severity}, ${groupWords(group) || "all events"}, began ${formatAgo(one.created_at)}${until > 0 ? ` and lasted ${formatDuration(until - since)}` : ""}.`}
        act={
          !may("alerts.write") || one.closed ? null : (
            <div className="row">
              <Button small disabled={acts.busy || taken} onClick={() => say("acknowledge")}>
                {taken ? "Acknowledged" : "Acknowledge"}
              </Button>
              <Menu
                trigger={
                  <Button small disabled={acts.busy}>
                    Snooze
                  </Button>
                }
              >
                {snoozes.map(([words, end]) => (
                  <MenuItem key={words} onSelect={() => say("snooze", { until: iso(end()) })}>
                    {words}
                  </MenuItem>
                ))}
              </Menu>
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
        <Evidence of={one} />
        {acts.dialog}
      </Section>
      <Section title="History" about="Each change with what it was judged on. Lines are redacted.">
        <Timeline of={one} />
      </Section>
      <Section title="Sent" about="Each notice and what came of it.">
        <Notices by={{ incident: one.id }} />
      </Section>
    </>
  );
};

/** As much before it began as makes it seen, an hour at least. */
const Evidence = ({ of: { incident, changes, rule } }: { of: OneIncident }) => {
  const { query, group, since, until } = incident;
  const begun = Math.min(since, ...changes.map(({ window_from }) => window_from));
  // A minute's steps: what lasts is asked for again now and then, not with each second.
  const end = until > 0 ? until : Math.ceil(Date.now() / minute) * minute;
  const margin = Math.min(24 * hour, Math.max(hour, end - begun)) / 2;
  const range = { from: iso(begun - margin), to: iso(Math.min(end + margin, Math.ceil(Date.now() / minute) * minute)) };
  const q = groupQuery(query, group);
  const histogram = useHistogram({ q, range, turn: 0 }, 96);
  return (
    <div className="stack-small">
      {histogram.data ? (
        <div className="preview-bars">
          <Histogram
            data={histogram.data}
            utc={false}
            stale={histogram.isPlaceholderData}
            spans={[{ id: "it", from: since, to: end, label: "It lasted" }]}
          />
        </div>
      ) : null}
      <div className="row evidence-query">
        <code className="mono small break">{q === "" ? "every event" : q}</code>
        <CopyButton text={q} label="Copy the query" />
        <Link href={`/explore?${new URLSearchParams({ q, ...range })}`}>Explore all of it</Link>
        <Link href={`/alerts/rules/${encodeURIComponent(rule)}`}>The rule</Link>
      </div>
    </div>
  );
};

type Entry = { readonly at: number; readonly id: string } & ({ readonly change: Change } | { readonly said: Said });

const saidWords: Readonly<Record<string, string>> = {
  acknowledgement: "acknowledged",
  snooze: "snoozed",
  resolution: "resolved by hand",
};

const Timeline = ({ of: one }: { of: OneIncident }) => {
  const entries: Entry[] = [
    ...one.changes.map((change) => ({ at: change.judged_at, id: change.id, change })),
    ...one.said.map((said) => ({ at: Date.parse(said.created_at), id: said.id, said })),
  ];
  return (
    <List heads={["When", "State", "Evidence"]}>
      {entries
        .sort((a, b) => b.at - a.at)
        .map((entry) => (
          <tr key={entry.id}>
            <td className="figures">{formatStamp(iso(entry.at), false, 0)}</td>
            {"change" in entry ? (
              <>
                <td>{stateWords(entry.change.to_state)}</td>
                <td>
                  <div className="break">{entry.change.reason}</div>
                  {entry.change.completeness < 1 ? (
                    <div className="warn small">judged on {percentOf(entry.change.completeness)} of the events</div>
                  ) : null}
                  {entry.change.lines.slice(0, 3).map((line) => (
                    <div key={line} className="faint small mono break">
                      {lineOf(line)}
                    </div>
                  ))}
                  <Link href={searchOf(one.incident, entry.change)}>See the events</Link>
                </td>
              </>
            ) : (
              <>
                <td>{saidWords[entry.said.kind] ?? entry.said.kind}</td>
                <td className="break">
                  {entry.said.comment}{" "}
                  {entry.said.ends_at === null ? null : (
                    <span className="soft">until {formatStamp(entry.said.ends_at, false, 0)}</span>
                  )}{" "}
                  <span className="soft">by {entry.said.created_by_name || "somebody who is gone"}</span>
                </td>
              </>
            )}
          </tr>
        ))}
    </List>
  );
};
