/** Asks for what a new connection needs, by its kind. */
import { useState } from "react";
import { Wrong } from "../account/frame.tsx";
import { said } from "../account/session.ts";
import { post } from "../api/client.ts";
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
  readonly optional?: true;
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
    {
      name: "logout_url",
      label: "Sign-out address",
      type: "url",
      optional: true,
      hint: "Where the provider is told of sign-outs, if it wants to be.",
    },
  ],
};

interface Metadata {
  readonly issuer: string;
  readonly entry_point: string;
  readonly certificates: readonly string[];
  readonly logout_url: string | null;
}

const certificateEnd = "-----END CERTIFICATE-----";
/** Each certificate of a text by itself: a provider that changes its key has two. */
const certificatesIn = (text: string): string[] =>
  text
    .split(certificateEnd)
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .map((one) => `${one}\n${certificateEnd}`);

interface MetadataReaderProps {
  readonly onRead: (values: Readonly<Record<string, string>>) => void;
  readonly onWrong: (wrong: string | undefined) => void;
}

/** Fills the form from what the provider publishes. */
const MetadataReader = ({ onRead, onWrong }: MetadataReaderProps) => {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const read = async (): Promise<void> => {
    setBusy(true);
    onWrong(undefined);
    const given = text.trim();
    try {
      const found = await post<Metadata>("/sso/metadata", given.startsWith("<") ? { xml: given } : { url: given });
      const { issuer, entry_point, certificates, logout_url } = found;
      onRead({ issuer, entry_point, certificate: certificates.join(""), logout_url: logout_url ?? "" });
    } catch (error) {
      onWrong(said(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Field label="The provider's metadata" hint="Its address, or the XML itself. It fills in what stands below.">
        {(ids) => (
          <textarea
            {...ids}
            className="input mono"
            rows={2}
            spellCheck={false}
            placeholder="https://login.example.com/metadata"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Button busy={busy} disabled={text.trim() === ""} onClick={() => void read()}>
        Read the metadata
      </Button>
    </>
  );
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
    const { certificate, ...texts } = values;
    const rest = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
    try {
      await onAdd({
        kind,
        ...rest,
        ...(certificate === undefined ? {} : { certificates: certificatesIn(certificate) }),
      });
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
        {kind === "saml" ? (
          <MetadataReader onRead={(found) => setValues({ ...values, ...found })} onWrong={(text) => setWrong(text)} />
        ) : null}
        {fields[kind].map(({ name: field, label, hint, placeholder, type, long, optional }) => (
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
                  required={optional !== true}
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
