/** What several dialogs ask for: a role, permissions, and which sources somebody sees. */
import { useMay } from "../account/acts.tsx";
import { Field } from "../ui/controls.tsx";
import { type Permission, type Scope, useGivableRoles, useSourceNames } from "./data.ts";

export const RolePicker = ({ value, onChange }: { value: string; onChange: (role: string) => void }) => {
  const roles = useGivableRoles();
  return (
    <Field label="Role" hint={roles.find(({ id }) => id === value)?.about}>
      {(ids) => (
        <select {...ids} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
          {roles.some(({ id }) => id === value) ? null : <option value={value}>{value}</option>}
          {roles.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
};

interface PermissionListProps {
  readonly offered: readonly Permission[];
  readonly value: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Nobody gives what he has not. */
export const PermissionList = ({ offered, value, onChange }: PermissionListProps) => {
  const may = useMay();
  return (
    <fieldset className="check-list">
      <legend>May</legend>
      {offered.map(({ id, meaning }) => (
        <label key={id} className="choice">
          <input
            type="checkbox"
            checked={value.includes(id)}
            disabled={!may(id)}
            onChange={() => onChange(value.includes(id) ? value.filter((one) => one !== id) : [...value, id])}
          />
          <span>
            {meaning} <span className="faint mono small">{id}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
};

interface ScopePickerProps {
  readonly label?: string;
  readonly value: Scope;
  readonly onChange: (scope: Scope) => void;
  readonly all?: string;
}

export const ScopePicker = ({
  label = "Sees the events of",
  value,
  onChange,
  all = "All sources, and those to come",
}: ScopePickerProps) => {
  const sources = useSourceNames();
  const toggle = (id: string): void =>
    onChange(value?.includes(id) === true ? value.filter((one) => one !== id) : [...(value ?? []), id]);
  return (
    <fieldset className="check-list">
      <legend>{label}</legend>
      <label className="choice">
        <input type="checkbox" checked={value === null} onChange={() => onChange(value === null ? [] : null)} />
        <span>{all}</span>
      </label>
      {value === null
        ? null
        : sources.map(({ id, name }) => (
            <label key={id} className="choice">
              <input type="checkbox" checked={value.includes(id)} onChange={() => toggle(id)} />
              <span>{name}</span>
            </label>
          ))}
    </fieldset>
  );
};
