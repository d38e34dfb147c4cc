/** Making a stream, giving it another secret, and ending it. A secret is shown once. */
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { post, remove } from "../api/client.ts";
import { Button, CopyButton, Field, Input } from "../ui/controls.tsx";
import { OverlapField } from "../ui/overlap-field.tsx";
import { Modal } from "../ui/overlays.tsx";
import type { MadeStream, Stream } from "./data.ts";

interface Closing {
  readonly onClose: () => void;
}
interface Making extends Closing {
  readonly onMade: (made: MadeStream) => void;
}

export const NewStream = ({ onMade, onClose }: Making) => {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [from, setFrom] = useState<"now" | "start">("start");
  const acts = useActs("audit-streams");
  return (
    <ActDialog
      title="New stream"
      acts={acts}
      submit="Make the stream"
      disabled={name.trim() === "" || url.trim() === ""}
      work={() => post<MadeStream>("/audit/streams", { name: name.trim(), url: url.trim(), from })}
      onDone={onMade}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <Field label="Address" hint="https, on port 443 or 8443, at a public address">
        {(ids) => (
          <Input
            {...ids}
            type="url"
            placeholder="https://siem.example.com/astralog"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
        )}
      </Field>
      <fieldset className="choices">
        <legend>Begins</legend>
        {(["start", "now"] as const).map((one) => (
          <label key={one} className="choice">
            <input type="radio" name="from" checked={from === one} onChange={() => setFrom(one)} />
            <span>{one === "start" ? "with the first event of the trail" : "with the next event"}</span>
          </label>
        ))}
      </fieldset>
    </ActDialog>
  );
};

export const RotateStream = ({ of: stream, onMade, onClose }: Making & { of: Stream }) => {
  const [overlap, setOverlap] = useState(86_400);
  const acts = useActs("audit-streams");
  return (
    <ActDialog
      title={`A new secret for ${stream.name}`}
      about="For a while both secrets sign each delivery, so that the receiver can be changed without a gap."
      acts={acts}
      submit="Make it"
      work={() => post<MadeStream>(`/audit/streams/${stream.id}/rotate`, { overlap_seconds: overlap })}
      onDone={onMade}
      onClose={onClose}
    >
      <OverlapField label="The old secret signs for" value={overlap} onChange={setOverlap} />
    </ActDialog>
  );
};

export const DeleteStream = ({ of: stream, onClose }: Closing & { of: Stream }) => (
  <ConfirmDialog
    title={`Delete ${stream.name}`}
    about="The trail is sent there no more. The trail itself stays as it is."
    word={stream.name}
    acts={useActs("audit-streams")}
    submit="Delete"
    work={() => remove(`/audit/streams/${stream.id}`)}
    onClose={onClose}
  />
);

/** Closed only by saying that it was kept. */
export const SecretShown = ({ of: made, onClose }: Closing & { of: MadeStream }) => (
  <Modal
    open
    firm
    onClose={onClose}
    title={`The secret of ${made.name}`}
    about="This is the only time it is shown. The receiver checks with it that a delivery is ours."
  >
    <div className="stack">
      <div className="secret">
        <code className="grow">{made.secret}</code>
        <CopyButton text={made.secret} />
      </div>
      <div className="row end">
        <Button onClick={onClose}>I have stored it</Button>
      </div>
    </div>
  </Modal>
);
