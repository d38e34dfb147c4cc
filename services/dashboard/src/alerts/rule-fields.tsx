/** The fields of a rule, one control each. What is empty is left out, and its default holds. */
import { useEffect, useId, useState } from "react";
import type { FieldInfo } from "../explore/data.ts";
import { findWrongFilter } from "../explore/language.ts";
import { QueryWrong } from "../explore/query-wrong.tsx";
import type { Range } from "../explore/time-range.ts";
import { useQueryEditor } from "../explore/use-query-editor.ts";
import { Field, Input } from "../ui/controls.tsx";
import { type FieldSpec, readNames } from "./rule-draft.ts";

interface TextProps<T> {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly mono?: boolean;
  readonly numeric?: boolean;
  readonly list?: string;
  readonly value: T;
  readonly show: (value: T) => string;
  /** Undefined of what cannot be read: it is kept as text until it can. */
  readonly read: (text: string) => { value: T } | undefined;
  readonly onChange: (value: T) => void;
  readonly wrong?: string;
}

/** A value that is written as text. Half-written text stays as it is; another value from outside replaces it. */
export const TextField = <T,>({ label, value, show, read, onChange, wrong, ...rest }: TextProps<T>) => {
  const [text, setText] = useState(show(value));
  const known = read(text);
  const shown = show(value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what comes from outside replaces the text.
  useEffect(() => {
    if (known === undefined || show(known.value) !== shown) setText(shown);
  }, [shown]);
  const error = known === undefined ? wrong : rest.error;
  return (
    <Field label={label} hint={rest.hint} error={error}>
      {(ids) => (
        <Input
          {...ids}
          className={rest.mono === true ? "mono" : ""}
          inputMode={rest.numeric === true ? "decimal" : "text"}
          placeholder={rest.placeholder}
          list={rest.list}
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            const given = read(target.value);
            if (given !== undefined) onChange(given.value);
          }}
        />
      )}
    </Field>
  );
};

interface SpecProps {
  readonly of: FieldSpec;
  readonly value: unknown;
  readonly error?: string | undefined;
  readonly fields: readonly FieldInfo[];
  readonly onChange: (value: unknown) => void;
}

const asText = (value: unknown): string =>
  value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value);

/** How each form of field is read; text that is no number is not given on. */
const readers: Readonly<Record<FieldSpec["form"], (text: string) => { value: unknown } | undefined>> = {
  span: (text) => ({ value: text.trim() || undefined }),
  value: (text) => ({ value: text.trim() || undefined }),
  choice: (text) => ({ value: text || undefined }),
  names: (text) => ({ value: readNames(text) }),
  number: (text) =>
    text.trim() === "" ? { value: undefined } : Number.isFinite(Number(text)) ? { value: Number(text) } : undefined,
};

export const SpecField = ({ of: spec, value, error, fields, onChange }: SpecProps) => {
  const list = useId();
  const { label, hint, form, choices, otherwise = "" } = spec;
  if (choices !== undefined)
    return (
      <Field label={label} hint={hint} error={error}>
        {(ids) => (
          <select
            {...ids}
            className="input"
            value={asText(value ?? otherwise)}
            onChange={({ target }) => onChange(target.value)}
          >
            {choices.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
    );
  const offers =
    form === "value"
      ? ["count()", "rate()", ...fields.filter(({ type }) => type === "number").map(({ name }) => `avg(${name})`)]
      : [];
  return (
    <>
      <TextField
        {...{ label, hint, error, value, onChange }}
        mono={form !== "number"}
        numeric={form === "number"}
        placeholder={form === "span" && otherwise !== "" ? `${otherwise}, or 1h` : otherwise}
        {...(offers.length === 0 ? {} : { list })}
        show={asText}
        read={readers[form]}
        wrong="This is no number yet."
      />
      {offers.length === 0 ? null : (
        <datalist id={list}>
          {offers.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </>
  );
};

export const QueryField = ({
  label,
  q,
  range,
  fields,
  error,
  onChange,
}: {
  label: string;
  q: string;
  range: Range;
  fields: readonly FieldInfo[];
  error: string | undefined;
  onChange: (q: string) => void;
}) => {
  const { host, wrong } = useQueryEditor({
    ...{ q, label, range, fields, find: findWrongFilter },
    onRun: () => undefined,
    onText: onChange,
  });
  return (
    <div className="field">
      <span className="query-label" aria-hidden>
        {label}
      </span>
      <div className="query-line">
        <div className="query-editor" ref={host} />
      </div>
      {wrong === undefined && error !== undefined ? <p className="field-note is-wrong">{error}</p> : null}
      <QueryWrong of={wrong} />
    </div>
  );
};
