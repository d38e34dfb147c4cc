/** A rule that drops fields before their event goes: what, of which events, after how long. It is counted before it is made. */
import type { FieldRulePreview, RetentionRule } from "@astralog/schemas/retention/rule";
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { post, put } from "../api/client.ts";
import { useSources } from "../sources/data.ts";
import { Field, Input } from "../ui/controls.tsx";
import { number } from "../ui/time.ts";
import { type Kept, placeWords, type Rule } from "./data.ts";

const listOf = (text: string): string[] =>
  text
    .split(/[,\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== "");

interface DialogProps {
  readonly of?: Rule;
  readonly plan: Kept["plan"];
  readonly onClose: () => void;
}

export const FieldRuleDialog = ({ of: one, plan, onClose }: DialogProps) => {
  const before = one?.rule;
  const [name, setName] = useState(before?.name ?? "");
  const [fields, setFields] = useState(before?.fields.join(", ") ?? "");
  const [except, setExcept] = useState(before?.except.join(", ") ?? "");
  const [days, setDays] = useState(String(before?.days ?? Math.min(7, plan.retention_days)));
  const [query, setQuery] = useState(before?.query ?? "");
  const [source, setSource] = useState(before?.source ?? "");
  const [reason, setReason] = useState(before?.reason ?? "");
  const [preview, setPreview] = useState<FieldRulePreview>();
  const sources = useSources();
  const acts = useActs("retention");
  /** Whatever changes, what was counted is another thing's. */
  const change = (set: (value: string) => void) => (value: string) => {
    set(value);
    setPreview(undefined);
  };
  const body: RetentionRule = {
    ...{ name: name.trim(), kind: "drop_fields", source, query, days: Number(days), reason },
    ...{ fields: listOf(fields), except: listOf(except) },
  };
  const fine = /^\d+$/.test(days) && Number(days) >= 1 && Number(days) <= plan.retention_days;
  return (
    <ActDialog
      title={one === undefined ? "Drop fields" : `Change ${one.rule.name}`}
      about="Once events are so old these fields are taken away from them, for good; the events stay as long as they would. It holds for what is stored already, too."
      acts={acts}
      submit={preview === undefined ? "Count them first" : one === undefined ? "Make the rule" : "Save"}
      danger={preview !== undefined && preview.due > 0}
      disabled={name.trim() === "" || body.fields.length === 0 || !fine}
      work={async () => {
        if (preview === undefined) {
          const instead = one === undefined ? "" : `?instead_of=${encodeURIComponent(one.id)}`;
          return post<FieldRulePreview>(`/retention/rules/preview${instead}`, body);
        }
        await (one === undefined ? post("/retention/rules", body) : put(`/retention/rules/${one.id}`, body));
        return undefined;
      }}
      onDone={(counted) => (counted === undefined ? onClose() : setPreview(counted))}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <Field
        label="Fields"
        hint="message, host, trace_id, span_id, attributes.user.id, attributes.user.*, attributes.*"
      >
        {(ids) => (
          <Input {...ids} className="mono" value={fields} onChange={(event) => change(setFields)(event.target.value)} />
        )}
      </Field>
      {fields.includes("*") ? (
        <Field label="Except" hint="Attributes that stay, such as attributes.http.*">
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              value={except}
              onChange={(event) => change(setExcept)(event.target.value)}
            />
          )}
        </Field>
      ) : null}
      <Field
        label="After days"
        hint="Counted from the receipt"
        error={fine ? undefined : `1 to ${plan.retention_days} days, as the plan allows.`}
      >
        {(ids) => (
          <Input {...ids} inputMode="numeric" value={days} onChange={(event) => change(setDays)(event.target.value)} />
        )}
      </Field>
      <Field label="Query" hint="As in Explore; empty is every event">
        {(ids) => (
          <Input {...ids} className="mono" value={query} onChange={(event) => change(setQuery)(event.target.value)} />
        )}
      </Field>
      <Field label="Source">
        {(ids) => (
          <select {...ids} className="input" value={source} onChange={(event) => change(setSource)(event.target.value)}>
            <option value="">all sources</option>
            {(sources.data ?? []).map(({ id, name: title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Why" hint="Optional">
        {(ids) => <Input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
      </Field>
      {preview === undefined ? null : <Counted of={preview} />}
    </ActDialog>
  );
};

const Counted = ({ of: { events, due, held, buckets, places } }: { of: FieldRulePreview }) => (
  <div role="status" className="stack-small">
    <p>
      <strong className="figure">{number.format(due)}</strong> events lose these fields within the hour
      {held === 0 ? "" : `, ${number.format(held)} are kept whole by a hold`}; {number.format(events)} stored events
      have some of them in all
      {buckets.map(({ name, events: there, due: going, problem }) =>
        there === null
          ? `; ${name} could not be counted: ${problem}`
          : `, ${number.format(there)} in ${name}, of which ${number.format(going ?? 0)} lose them`,
      )}
      .
    </p>
    <ul className="small soft">
      {places
        .filter(({ reached }) => !reached)
        .map(({ place, detail }) => (
          <li key={place}>
            <strong>{placeWords[place] ?? place}</strong>: not reached; {detail}
          </li>
        ))}
    </ul>
  </div>
);
