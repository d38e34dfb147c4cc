/** Making, rotating and revoking keys. A key is shown once; what cannot be taken back asks for a word. */
import { Check, Copy, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useMe } from "../account/session.ts";
import { useStepUp } from "../account/step-up.tsx";
import { asProblem } from "../api/client.ts";
import { Button, Field, Input, useCopied } from "../ui/controls.tsx";
import { OverlapField } from "../ui/overlap-field.tsx";
import { Modal } from "../ui/overlays.tsx";
import { type Key, type MadeKey, type Source, useNewKey, useRevocation, useRotation } from "./data.ts";
import { SourceField } from "./source-field.tsx";

export const maskOf = ({ prefix, last4 }: Pick<Key, "prefix" | "last4">): string => `${prefix}…${last4}`;
export const labelOf = (key: Key): string => key.name || maskOf(key);

const kinds = [
  ["ingest", "Sends events of one source"],
  ["query", "Searches and watches events"],
  ["admin", "Manages sources and keys, proves what is stored"],
] as const;

interface Closing {
  readonly onClose: () => void;
}

export const NewKeyDialog = ({
  sources,
  source: given,
  onMade,
  onClose,
}: Closing & { sources: readonly Source[]; source?: string; onMade: (key: MadeKey) => void }) => {
  const [kind, setKind] = useState<Key["kind"]>("ingest");
  const [source, setSource] = useState(given ?? sources[0]?.id ?? "");
  const [name, setName] = useState("");
  const [guard, stepUp] = useStepUp(useMe().data);
  const making = useNewKey(guard);
  return (
    <Modal open onClose={onClose} title="New key">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          making.mutate(
            { kind, ...(name.trim() === "" ? {} : { name: name.trim() }), ...(kind === "ingest" ? { source } : {}) },
            { onSuccess: onMade },
          );
        }}
      >
        <fieldset className="choices">
          <legend>What it may do</legend>
          {kinds.map(([one, about]) => (
            <label key={one} className="choice">
              <input type="radio" name="kind" checked={kind === one} onChange={() => setKind(one)} />
              <span>
                <strong>{one}</strong> <span className="soft">{about}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {kind === "ingest" ? <SourceField sources={sources} value={source} onChange={setSource} /> : null}
        <Field label="Name" hint="What will tell it apart later: a place, a program">
          {(ids) => <Input {...ids} maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Wrong error={making.error} />
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={making.isPending} disabled={kind === "ingest" && source === ""}>
            Make the key
          </Button>
        </div>
      </form>
      {stepUp}
    </Modal>
  );
};

/** Closed only by saying that it was kept. */
export const KeyShown = ({ made, onClose }: Closing & { made: MadeKey }) => {
  const [copied, copy] = useCopied();
  return (
    <Modal
      open
      firm
      onClose={onClose}
      title="Your new key"
      about="This is the only time it is shown. Only its hash is stored, so nobody can show it again."
    >
      <div className="stack">
        <div className="secret">
          <code className="grow">{made.key}</code>
          <Button
            small
            look="primary"
            onClick={() => copy(made.key)}
            icon={copied ? <Check size={14} /> : <Copy size={14} />}
          >
            <span aria-live="polite">{copied ? "Copied" : "Copy"}</span>
          </Button>
        </div>
        <p className="soft small">
          {made.kind} key{made.name === "" ? "" : `, ${made.name}`}. It works within a second.
        </p>
        <div className="row end">
          <Button look={copied ? "primary" : "plain"} onClick={onClose}>
            I have stored it
          </Button>
        </div>
      </div>
    </Modal>
  );
};

export const RotateDialog = ({ of: key, onMade, onClose }: Closing & { of: Key; onMade: (key: MadeKey) => void }) => {
  const [overlap, setOverlap] = useState(86_400);
  const [guard, stepUp] = useStepUp(useMe().data);
  const rotating = useRotation(guard);
  return (
    <Modal
      open
      onClose={onClose}
      title={`Rotate ${labelOf(key)}`}
      about="Makes a new key with the same rights. The old one goes on for a while, so that you can replace it without a gap."
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          rotating.mutate({ id: key.id, overlap }, { onSuccess: onMade });
        }}
      >
        <OverlapField label="The old key goes on for" value={overlap} onChange={setOverlap} />
        <Wrong error={rotating.error} />
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={rotating.isPending}>
            Rotate
          </Button>
        </div>
      </form>
      {stepUp}
    </Modal>
  );
};

export const RevokeDialog = ({ of: key, onClose }: Closing & { of: Key }) => {
  const [typed, setTyped] = useState("");
  const revoking = useRevocation();
  const word = key.name || key.last4;
  return (
    <Modal
      open
      onClose={onClose}
      title={`Revoke ${labelOf(key)}`}
      about="Whoever uses it is refused within a second, and it cannot be brought back. What it sent stays."
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === word) revoking.mutate(key.id, { onSuccess: onClose });
        }}
      >
        <Field label={`Type ${word} to confirm`}>
          {(ids) => <Input {...ids} autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} />}
        </Field>
        <Wrong error={revoking.error} />
        <div className="row end">
          <Button onClick={onClose}>Keep it</Button>
          <Button
            type="submit"
            look="danger"
            busy={revoking.isPending}
            disabled={typed !== word}
            icon={<TriangleAlert size={14} />}
          >
            Revoke
          </Button>
        </div>
      </form>
    </Modal>
  );
};

export const Wrong = ({ error }: { error: unknown }) => (
  <div role="alert">{error == null ? null : <p className="field-note is-wrong">{asProblem(error).message}</p>}</div>
);
