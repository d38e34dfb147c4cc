/** The two fields that several of these pages ask for. */
import { Field, Input } from "../ui/controls.tsx";

interface FieldOf {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export const EmailField = ({
  value,
  onChange,
  hint,
  autoComplete = "email",
}: FieldOf & { hint?: string; autoComplete?: string }) => (
  <Field label="E-mail" hint={hint}>
    {(ids) => (
      <Input
        {...ids}
        type="email"
        required
        autoComplete={autoComplete}
        placeholder="you@example.com"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
);

export const NameField = ({ value, onChange }: FieldOf) => (
  <Field label="Name">
    {(ids) => (
      <Input
        {...ids}
        autoComplete="name"
        maxLength={100}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
);
