/** Which source something is for. */
import { Field } from "../ui/controls.tsx";
import type { Source } from "./data.ts";

interface Props {
  readonly sources: readonly Source[];
  readonly value: string;
  readonly onChange: (id: string) => void;
  readonly hint?: string;
}

export const SourceField = ({ sources, value, onChange, hint }: Props) => (
  <Field label="Source" hint={hint}>
    {(ids) => (
      <select {...ids} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        {sources.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    )}
  </Field>
);
