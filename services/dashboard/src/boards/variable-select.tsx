/** Narrows a dashboard by one field: the values it has in the chosen time, most frequent first. */
import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "../ui/controls.tsx";
import { compact } from "../ui/time.ts";

interface VariableSelectProps {
  readonly field: string;
  readonly value: string;
  readonly values: () => Promise<readonly { readonly value: string; readonly count: number }[]>;
  readonly onChange: (value: string) => void;
  readonly onRemove?: () => void;
}

export const VariableSelect = ({ field, value, values, onChange, onRemove }: VariableSelectProps) => {
  const [known, setKnown] = useState<readonly { readonly value: string; readonly count: number }[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once for each field; opening it asks again.
  useEffect(() => {
    void values().then(setKnown);
  }, [field]);
  const absent = value !== "" && !known.some((one) => one.value === value);
  return (
    <span className="variable">
      <label>
        <span className="soft small">{field}</span>
        <select
          className="input"
          value={value}
          onFocus={() => void values().then(setKnown)}
          onChange={(event) => onChange(event.target.value)}
        >
          <option value="">all</option>
          {absent ? <option value={value}>{value}</option> : null}
          {known.map((one) => (
            <option key={one.value} value={one.value}>
              {one.value} ({compact.format(one.count)})
            </option>
          ))}
        </select>
      </label>
      {onRemove === undefined ? null : (
        <IconButton label={`Take the variable ${field} out`} onClick={onRemove}>
          <X size={13} />
        </IconButton>
      )}
    </span>
  );
};
