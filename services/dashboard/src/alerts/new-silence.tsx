/** Makes a silence, or a maintenance window: for when, for what, and why. */
import { days, type Schedule } from "@astralog/schemas/alerts/local-time";
import { matches } from "@astralog/schemas/alerts/matching";
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { post } from "../api/client.ts";
import { Field, Input } from "../ui/controls.tsx";
import { localZone } from "../ui/time.ts";
import { useIncidents } from "./data.ts";
import { readMatchers } from "./matchers.ts";
import { ScheduleFields } from "./schedule-fields.tsx";

const hour = 3_600_000;

/** As a `datetime-local` has it: the clock on the wall here. */
const wallOf = (at: number): string =>
  new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export const NewSilence = ({ onClose }: { onClose: () => void }) => {
  const [text, setText] = useState("");
  const [planned, setPlanned] = useState(false);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState(() => wallOf(Date.now() + 2 * hour));
  const [schedule, setSchedule] = useState<Schedule>();
  const [comment, setComment] = useState("");
  const acts = useActs("alert-silences");
  const open = useIncidents({ open: true, rule: "" });
  const matchers = readMatchers(text);
  const work = () =>
    post("/alerts/silences", {
      ...{ matchers, comment, kind: planned ? "maintenance" : "silence" },
      ...(from === "" ? {} : { starts_at: new Date(from).toISOString() }),
      ...(to === "" ? {} : { ends_at: new Date(to).toISOString() }),
      ...(planned && schedule !== undefined ? { schedule } : {}),
    });
  const late = to !== "" && Date.parse(to) <= (from === "" ? Date.now() : Date.parse(from));
  const endless = to === "" && !planned;
  const disabled = matchers === undefined || late || endless;
  const hit =
    matchers === undefined
      ? []
      : (open.data?.pages[0]?.incidents ?? []).filter(({ incident }) => matches(matchers, incident.labels));
  return (
    <ActDialog title="New silence" {...{ acts, work, onClose, disabled, submit: "Silence it" }}>
      <fieldset className="segmented">
        <legend className="hidden">Kind</legend>
        <button type="button" aria-pressed={!planned} onClick={() => setPlanned(false)}>
          Silence
        </button>
        <button type="button" aria-pressed={planned} onClick={() => setPlanned(true)}>
          Planned maintenance
        </button>
      </fieldset>
      <Field
        label="What"
        hint="service=checkout severity!=critical host=a|b: all must hold. rule, severity, labels and group fields."
        error={text !== "" && matchers === undefined ? "Write name=value, with blanks between." : undefined}
      >
        {(ids) => <Input {...ids} className="mono" value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      {matchers === undefined || open.data === undefined ? null : (
        <p className="soft small" aria-live="polite">
          {hit.length === 0
            ? "No open incident matches it now."
            : `${hit.length === 1 ? "One open incident matches" : `${hit.length} open incidents match`} it now: ${hit
                .slice(0, 3)
                .map(({ incident, rule }) => incident.ruleName || rule)
                .join(", ")}${hit.length > 3 ? "…" : ""}`}
        </p>
      )}
      <div className="filters filters-times">
        <Field label="From" hint="Empty: now">
          {(ids) => (
            <Input {...ids} type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} />
          )}
        </Field>
        <Field
          label="Until"
          hint={planned ? "Empty: until it is taken away" : undefined}
          error={late ? "It lies before the beginning." : endless ? "A silence needs an end." : undefined}
        >
          {(ids) => <Input {...ids} type="datetime-local" value={to} onChange={(event) => setTo(event.target.value)} />}
        </Field>
      </div>
      {planned ? (
        <ScheduleFields
          title="In certain hours of the week only"
          of={schedule}
          begins={{ timezone: localZone, days: [...days], from: "02:00", to: "04:00" }}
          onChange={setSchedule}
        />
      ) : null}
      <Field label="Why">
        {(ids) => <Input {...ids} value={comment} onChange={(event) => setComment(event.target.value)} />}
      </Field>
    </ActDialog>
  );
};
