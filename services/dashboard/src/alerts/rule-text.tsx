/** A rule as the text that files in git have: YAML or JSON. */
import { useState } from "react";
import { parse, stringify } from "yaml";
import { CopyButton, Field } from "../ui/controls.tsx";
import type { Draft } from "./rule-draft.ts";

export type Form = "yaml" | "json";

const write = (draft: Draft, form: Form): string =>
  form === "json" ? JSON.stringify(draft, undefined, 2) : stringify(draft, { lineWidth: 100 });

const read = (text: string, form: Form): { draft: Draft } | { wrong: string } => {
  try {
    const given: unknown = form === "json" ? JSON.parse(text) : parse(text);
    const when = (given as { when?: { type?: unknown } } | null)?.when;
    if (typeof when?.type !== "string") return { wrong: "A rule has a when with a type." };
    return { draft: given as Draft };
  } catch (error) {
    return { wrong: (error as Error).message.split("\n")[0] ?? "" };
  }
};

export const RuleText = ({
  of: draft,
  form,
  onChange,
}: {
  of: Draft;
  form: Form;
  onChange: (draft: Draft) => void;
}) => {
  const [text, setText] = useState(() => write(draft, form));
  const found = read(text, form);
  return (
    <div className="stack-small">
      <Field
        label={form === "json" ? "The rule as JSON" : "The rule as YAML"}
        error={"wrong" in found ? found.wrong : undefined}
      >
        {(ids) => (
          <textarea
            {...ids}
            className="input mono rule-text"
            rows={24}
            spellCheck={false}
            value={text}
            onChange={({ target }) => {
              setText(target.value);
              const next = read(target.value, form);
              if ("draft" in next) onChange(next.draft);
            }}
          />
        )}
      </Field>
      <div className="row">
        <CopyButton text={text} label="Copy" />
        <span className="soft small">
          <code>astralog alerts apply</code> takes it from a file.
        </span>
      </div>
    </div>
  );
};
