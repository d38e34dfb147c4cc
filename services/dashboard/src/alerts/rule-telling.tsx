/** When a rule's incidents begin and end, whom they are told to, and what people read of them. */
import type { Schedule } from "@astralog/schemas/alerts/local-time";
import { Field, Input } from "../ui/controls.tsx";
import { localZone } from "../ui/time.ts";
import { type Destination, type Rule, useDestinations, useRules } from "./data.ts";
import { type Draft, labelWords, readLabels, readNames, withField } from "./rule-draft.ts";
import { SpecField, TextField } from "./rule-fields.tsx";
import { ScheduleFields } from "./schedule-fields.tsx";

interface Props {
  readonly of: Draft;
  readonly wrongs: Readonly<Record<string, string>>;
  readonly onChange: (draft: Draft) => void;
}

const severities = ["info", "warning", "error", "critical"] as const;

export const Firing = ({ of: draft, wrongs, onChange }: Props) => {
  const { windows } = draft;
  const set = (name: string) => (given: unknown) => onChange(withField(draft, name, given));
  const mode = windows !== undefined ? "windows" : draft.for !== undefined ? "for" : "once";
  const turn = (next: string): void => {
    const { windows: _, for: __, ...rest } = draft;
    onChange(
      next === "windows" ? { ...rest, windows: { true: 2, of: 3 } } : next === "for" ? { ...rest, for: "5m" } : rest,
    );
  };
  const number = (name: string, label: string, otherwise: string) =>
    ({ name, label, otherwise, form: "number" }) as const;
  const span = (name: string, label: string, otherwise: string, hint: string) =>
    ({ name, label, otherwise, hint, form: "span" }) as const;
  return (
    <div className="filters">
      {draft.when.type === "match" ? null : (
        <>
          <Field label="It fires">
            {(ids) => (
              <select {...ids} className="input" value={mode} onChange={({ target }) => turn(target.value)}>
                <option value="once">with the first window</option>
                <option value="windows">with some of the last windows</option>
                <option value="for">when it has lasted</option>
              </select>
            )}
          </Field>
          {windows === undefined ? null : (
            <>
              <SpecField
                of={number("true", "So many windows", "1")}
                value={windows.true}
                error={wrongs.windows ?? wrongs["windows.true"]}
                fields={[]}
                onChange={(given) => onChange({ ...draft, windows: withField(windows, "true", given) })}
              />
              <SpecField
                of={number("of", "of the last", "1")}
                value={windows.of}
                error={wrongs["windows.of"]}
                fields={[]}
                onChange={(given) => onChange({ ...draft, windows: withField(windows, "of", given) })}
              />
            </>
          )}
          {mode === "for" ? (
            <SpecField
              of={{ name: "for", label: "for", form: "span" }}
              value={draft.for}
              error={wrongs.for}
              fields={[]}
              onChange={(given) => onChange({ ...draft, for: String(given ?? "") })}
            />
          ) : null}
          <SpecField
            of={number("resolve_after", "Well after so many good windows", "1")}
            value={draft.resolve_after}
            error={wrongs.resolve_after}
            fields={[]}
            onChange={set("resolve_after")}
          />
        </>
      )}
      <SpecField
        of={span("lateness", "Wait for late events", "500ms", "What comes later is not counted.")}
        value={draft.lateness}
        error={wrongs.lateness}
        fields={[]}
        onChange={set("lateness")}
      />
      <SpecField
        of={span("grace", "Call it incomplete after", "30s", "Nothing is judged on half of the events.")}
        value={draft.grace}
        error={wrongs.grace}
        fields={[]}
        onChange={set("grace")}
      />
    </div>
  );
};

export const Telling = ({ of: draft, wrongs, onChange }: Props) => {
  const destinations = useDestinations().data?.destinations ?? [];
  const rules = useRules().data?.rules ?? [];
  const set = (name: string) => (given: unknown) => onChange(withField(draft, name, given));
  const { schedule } = draft;
  return (
    <section className="stack" aria-label="Whom it tells">
      <div className="filters">
        <Field label="Severity">
          {(ids) => (
            <select
              {...ids}
              className="input"
              value={draft.severity ?? "warning"}
              onChange={({ target }) => set("severity")(target.value)}
            >
              {severities.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
        <SpecField
          of={{ name: "renotify", label: "Tell again each", form: "span", otherwise: "never" }}
          value={draft.renotify}
          error={wrongs.renotify}
          fields={[]}
          onChange={set("renotify")}
        />
      </div>
      <Tells all={destinations} of={draft.notify ?? []} onChange={set("notify")} />
      <ScheduleFields
        title="Only at certain hours"
        of={schedule as Partial<Schedule> | undefined}
        begins={{ timezone: localZone, days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" }}
        wrongs={wrongs}
        onChange={set("schedule")}
      />
      <Depends
        all={rules.filter(({ id }) => id !== draft.id)}
        of={draft.depends_on ?? []}
        onChange={set("depends_on")}
      />
      <Field label="Description" hint="Stands in each message." error={wrongs.description}>
        {(ids) => (
          <textarea
            {...ids}
            className="input"
            rows={2}
            value={draft.description ?? ""}
            onChange={({ target }) => set("description")(target.value || undefined)}
          />
        )}
      </Field>
      <div className="filters">
        <Field label="Runbook" error={wrongs.runbook}>
          {(ids) => (
            <Input
              {...ids}
              placeholder="https://…"
              value={draft.runbook ?? ""}
              onChange={({ target }) => set("runbook")(target.value.trim() || undefined)}
            />
          )}
        </Field>
        <TextField
          label="Owners"
          value={draft.owners ?? []}
          show={(names) => names.join(", ")}
          read={(text) => ({ value: readNames(text) })}
          onChange={set("owners")}
        />
        <TextField
          label="Labels"
          placeholder="team=payments"
          mono
          error={wrongs.labels}
          value={draft.labels ?? {}}
          show={labelWords}
          read={(text) => {
            const labels = readLabels(text);
            return labels === undefined ? undefined : { value: labels };
          }}
          onChange={set("labels")}
          wrong="Write name=value, with blanks between."
        />
      </div>
    </section>
  );
};

const toggled = (all: readonly string[], one: string): string[] =>
  all.includes(one) ? all.filter((each) => each !== one) : [...all, one];

const Tells = ({
  all,
  of: told,
  onChange,
}: {
  all: readonly Destination[];
  of: readonly string[];
  onChange: (ids: string[]) => void;
}) => (
  <fieldset className="choices">
    <legend>Tell</legend>
    {all.map(({ id, name, kind, standard }) => (
      <label key={id} className="choice">
        <input type="checkbox" checked={told.includes(id)} onChange={() => onChange(toggled(told, id))} />
        <span>
          {name} <span className="faint small">{kind.replace("_", " ")}</span>
          {told.length === 0 && standard ? <span className="soft small"> is told when none is chosen</span> : null}
        </span>
      </label>
    ))}
    {all.length === 0 ? (
      <p className="warn small">There is no destination yet: incidents are seen here and told to nobody.</p>
    ) : told.length === 0 && !all.some(({ standard }) => standard) ? (
      <p className="warn small">None is chosen, and none is told by default: incidents are seen here alone.</p>
    ) : null}
  </fieldset>
);

const Depends = ({
  all,
  of: chosen,
  onChange,
}: {
  all: readonly Rule[];
  of: readonly string[];
  onChange: (ids: string[]) => void;
}) =>
  all.length === 0 ? null : (
    <details open={chosen.length > 0}>
      <summary className="small">Tell nobody while another rule fires for the same</summary>
      <fieldset className="check-list">
        <legend className="hidden">Rules that explain it</legend>
        {all.map(({ id, rule }) => (
          <label key={id} className="choice">
            <input type="checkbox" checked={chosen.includes(id)} onChange={() => onChange(toggled(chosen, id))} />
            <span>
              {rule.name} <span className="faint small mono">{id}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </details>
  );
