/** Who is told next when nobody acknowledges. */
import type { Escalation } from "@astralog/schemas/alerts/destination";
import { Plus } from "lucide-react";
import { Button, Field, Input } from "../ui/controls.tsx";
import type { Destination } from "./data.ts";

interface Props {
  readonly of: Escalation;
  readonly all: readonly Destination[];
  readonly onChange: (escalation: Escalation) => void;
}

export const EscalationFields = ({ of: { steps }, all, onChange }: Props) => {
  const targets = all.filter(({ kind }) => kind !== "escalation");
  const change = (at: number, changes: Partial<Escalation["steps"][number]>): void =>
    onChange({ steps: steps.map((step, i) => (i === at ? { ...step, ...changes } : step)) });
  if (targets.length === 0) return <p className="warn small">Make the destinations that it leads to first.</p>;
  return (
    <>
      {steps.map(({ after_minutes, to }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the order.
        <fieldset key={i} className="choices escalation-step">
          <legend>{i === 0 ? "First" : "Then, if nobody has acknowledged"}</legend>
          <Field label="Minutes after it began">
            {(ids) => (
              <Input
                {...ids}
                type="number"
                min={0}
                max={10_080}
                value={after_minutes}
                onChange={({ target }) => change(i, { after_minutes: Number(target.value) })}
              />
            )}
          </Field>
          {targets.map(({ id, name, kind }) => (
            <label key={id} className="choice">
              <input
                type="checkbox"
                checked={to.includes(id)}
                onChange={() => change(i, { to: to.includes(id) ? to.filter((one) => one !== id) : [...to, id] })}
              />
              <span>
                {name} <span className="faint small">{kind.replace("_", " ")}</span>
              </span>
            </label>
          ))}
          {steps.length === 1 ? null : (
            <div className="row">
              <Button small onClick={() => onChange({ steps: steps.filter((_, n) => n !== i) })}>
                Take this step out
              </Button>
            </div>
          )}
        </fieldset>
      ))}
      {steps.length >= 10 ? null : (
        <div className="row">
          <Button
            small
            icon={<Plus size={14} />}
            onClick={() =>
              onChange({ steps: [...steps, { after_minutes: (steps.at(-1)?.after_minutes ?? 0) + 15, to: [] }] })
            }
          >
            Another step
          </Button>
        </div>
      )}
    </>
  );
};
