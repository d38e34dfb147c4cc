/** How long what is replaced goes on. */
import { Field } from "./controls.tsx";

const overlaps = [
  [86_400, "a day"],
  [3_600, "an hour"],
  [604_800, "a week"],
  [0, "no time: it ends at once"],
] as const;

interface Props {
  readonly label: string;
  readonly value: number;
  readonly onChange: (seconds: number) => void;
}

export const OverlapField = ({ label, value, onChange }: Props) => (
  <Field label={label}>
    {(ids) => (
      <select {...ids} className="input" value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {overlaps.map(([seconds, words]) => (
          <option key={seconds} value={seconds}>
            {words}
          </option>
        ))}
      </select>
    )}
  </Field>
);
