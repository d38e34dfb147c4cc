/** Asks for what a new connection needs, by its kind. */
import { useState } from "react";
import { Wrong } from "../account/frame.tsx";
import { said } from "../account/session.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import type { Connection } from "./data.ts";

interface Asked {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly type?: "password" | "url";
  readonly long?: true;
}

const name: Asked = { name: "name", label: "Name", placeholder: "Our directory" };
const fields: Readonly<Record<Connection["kind"], readonly Asked[]>> = {
  oidc: [
    name,
    { name: "issuer", label: "Issuer", type: "url", placeholder: "https://login.example.com" },
    { name: "client_id", label: "Client ID" },
    { name: "client_secret", label: "Client secret", type: "password", hint: "Kept encrypted, and never shown again." },
  ],
  saml: [
    name,
    { name: "issuer", label: "The provider's entity ID" },
    { name: "entry_point", label: "Sign-in address", type: "url", placeholder: "https://login.example.com/sso" },
    { name: "certificate", label: "Signing certificate", long: true, hint: "PEM; of an RSA key of 2048 bits or more." },
  ],
};

interface NewConnectionProps {
  readonly kind: Connection["kind"];
  readonly onClose: () => void;
  readonly onAdd: (body: Record<string, unknown>) => Promise<void>;
}

export const NewConnection = ({ kind, onClose, onAdd }: NewConnectionProps) => {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const set = (field: string, value: string): void => setValues({ ...values, [field]: value });
  const submit = async (): Promise<void> => {
    setBusy(true);
    setWrong(undefined);
    const { certificate, ...rest } = values;
    try {
      await onAdd({ kind, ...rest, ...(certificate === undefined ? {} : { certificates: [certificate] }) });
    } catch (error) {
      setWrong(said(error));
      setBusy(false);
    }
  };
  return (
    <Modal open onClose={onClose} title={kind === "oidc" ? "Connect by OpenID Connect" : "Connect by SAML"}>
      <form
        className="stack door-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {fields[kind].map(({ name: field, label, hint, placeholder, type, long }) => (
          <Field key={field} label={label} hint={hint}>
            {(ids) =>
              long === true ? (
                <textarea
                  {...ids}
                  className="input mono"
                  required
                  rows={5}
                  spellCheck={false}
                  value={values[field] ?? ""}
                  onChange={(event) => set(field, event.target.value)}
                />
              ) : (
                <Input
                  {...ids}
                  required
                  type={type ?? "text"}
                  placeholder={placeholder}
                  value={values[field] ?? ""}
                  onChange={(event) => set(field, event.target.value)}
                />
              )
            }
          </Field>
        ))}
        <Button type="submit" look="primary" busy={busy}>
          Connect
        </Button>
        {wrong === undefined ? null : <Wrong>{wrong}</Wrong>}
      </form>
    </Modal>
  );
};
