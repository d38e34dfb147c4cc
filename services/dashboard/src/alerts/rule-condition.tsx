/** What a rule looks for, in the fields of its kind. */
import type { FieldInfo } from "../explore/data.ts";
import type { Range } from "../explore/time-range.ts";
import { Field } from "../ui/controls.tsx";
import { conditionOf, type Draft, type FieldSpec, kindNames, kinds, withCondition, withKind } from "./rule-draft.ts";
import { QueryField, SpecField } from "./rule-fields.tsx";

interface Props {
  readonly of: Draft;
  readonly wrongs: Readonly<Record<string, string>>;
  readonly fields: readonly FieldInfo[];
  readonly range: Range;
  readonly onChange: (draft: Draft) => void;
}

export const Condition = ({ of: draft, wrongs, fields, range, onChange }: Props) => {
  const when = conditionOf(draft);
  const { type } = draft.when;
  const kind = kinds[type];
  const set = (name: string) => (given: unknown) => onChange(withCondition(draft, name, given));
  const spec = (one: FieldSpec) => (
    <SpecField
      key={`${type}.${one.name}`}
      of={one}
      value={when[one.name]}
      error={wrongs[`when.${one.name}`] ?? wrongs[`when.${one.name}.0`]}
      fields={fields}
      onChange={set(one.name)}
    />
  );
  return (
    <section className="stack" aria-label="What it looks for">
      <div className="stack-small">
        <fieldset className="segmented wraps">
          <legend className="hidden">Kind</legend>
          {kindNames.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === type}
              onClick={() => one !== type && onChange(withKind(draft, one))}
            >
              {kinds[one].title}
            </button>
          ))}
        </fieldset>
        <p className="soft small">{kind.about}</p>
      </div>
      {/* An editor keeps the name that it began with. */}
      <QueryField
        key={type === "ratio" ? "of" : "query"}
        label={type === "ratio" ? "Events of" : "Query"}
        q={String(when.query ?? "")}
        error={wrongs["when.query"]}
        {...{ range, fields }}
        onChange={set("query")}
      />
      {type === "ratio" ? (
        <QueryField
          label="for each event of"
          q={String(when.of ?? "")}
          error={wrongs["when.of"]}
          {...{ range, fields }}
          onChange={set("of")}
        />
      ) : null}
      <div className="filters">{kind.fields.map(spec)}</div>
      {kind.bounds ? <Bounds of={draft} {...{ wrongs, fields, onChange }} /> : null}
    </section>
  );
};

const Bounds = ({ of: draft, wrongs, fields, onChange }: Omit<Props, "range">) => {
  const when = conditionOf(draft);
  const side = when.below === undefined ? "above" : "below";
  const set = (name: string) => (given: unknown) => onChange(withCondition(draft, name, given));
  const number = (name: string, label: string, hint?: string, otherwise?: string): FieldSpec => ({
    ...{ name, label, form: "number" },
    ...(hint === undefined ? {} : { hint }),
    ...(otherwise === undefined ? {} : { otherwise }),
  });
  const turn = (next: string): void => {
    if (next === side) return;
    const without = withCondition(withCondition(draft, "resolve", undefined), side, undefined);
    onChange(withCondition(without, next, when[side]));
  };
  return (
    <div className="filters">
      <Field label="It is wrong">
        {(ids) => (
          <select {...ids} className="input" value={side} onChange={({ target }) => turn(target.value)}>
            <option value="above">above</option>
            <option value="below">below</option>
          </select>
        )}
      </Field>
      <SpecField
        of={number(side, "Threshold")}
        value={when[side]}
        error={wrongs["when.above"] ?? wrongs["when.below"]}
        {...{ fields, onChange: set(side) }}
      />
      <SpecField
        of={number("resolve", "Well again at", "Between the two it stays as it is.", "the threshold")}
        value={when.resolve}
        error={wrongs["when.resolve"]}
        {...{ fields, onChange: set("resolve") }}
      />
    </div>
  );
};
