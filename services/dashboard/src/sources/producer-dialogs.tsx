/** Making, rotating and revoking producers. A password is shown once, with a command that uses it. */
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { post, remove } from "../api/client.ts";
import { Button, CopyButton } from "../ui/controls.tsx";
import { OverlapField } from "../ui/overlap-field.tsx";
import { Modal } from "../ui/overlays.tsx";
import type { Source } from "./data.ts";
import { kcatOf, type MadeProducer, type Producer } from "./producer.ts";
import { SourceField } from "./source-field.tsx";

interface Closing {
  readonly onClose: () => void;
}
interface Making extends Closing {
  readonly onMade: (made: MadeProducer) => void;
}

export const NewProducer = ({ sources, onMade, onClose }: Making & { sources: readonly Source[] }) => {
  const [name, setName] = useState("");
  const [source, setSource] = useState(sources[0]?.id ?? "");
  return (
    <ActDialog
      title="New Kafka producer"
      about="Its password is shown once, right after this."
      acts={useActs("producers")}
      submit="Make the producer"
      disabled={source === ""}
      work={() => post<MadeProducer>("/producers", { source, ...(name.trim() === "" ? {} : { name: name.trim() }) })}
      onDone={onMade}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <SourceField sources={sources} value={source} onChange={setSource} hint="Each source has a topic of its own" />
    </ActDialog>
  );
};

export const RotateProducer = ({ of: producer, onMade, onClose }: Making & { of: Producer }) => {
  const [overlap, setOverlap] = useState(86_400);
  return (
    <ActDialog
      title={`Rotate ${producer.name || producer.username}`}
      about="Makes a second user for the same topic. The first goes on for a while, so that you can replace it without a gap."
      acts={useActs("producers")}
      submit="Rotate"
      work={() => post<MadeProducer>(`/producers/${producer.id}/rotate`, { overlap_seconds: overlap })}
      onDone={onMade}
      onClose={onClose}
    >
      <OverlapField label="The first user goes on for" value={overlap} onChange={setOverlap} />
    </ActDialog>
  );
};

export const RevokeProducer = ({ of: producer, onClose }: Closing & { of: Producer }) => (
  <ConfirmDialog
    title={`Revoke ${producer.name || producer.username}`}
    about="When this is done Kafka refuses it, open connections included. What it wrote stays."
    word={producer.name || producer.username}
    acts={useActs("producers")}
    submit="Revoke"
    work={() => remove(`/producers/${producer.id}`)}
    onClose={onClose}
  />
);

/** Closed only by saying that it was kept. */
export const ProducerShown = ({ of: made, onClose }: Closing & { of: MadeProducer }) => (
  <Modal
    open
    firm
    wide
    onClose={onClose}
    title={`Your new producer ${made.name}`}
    about="This is the only time its password is shown."
  >
    <div className="stack">
      <div className="secret">
        <code className="grow">{made.password}</code>
        <CopyButton text={made.password} />
      </div>
      <dl className="facts">
        <dt>User</dt>
        <dd className="mono">{made.username}</dd>
        <dt>Topic</dt>
        <dd className="mono">{made.topic}</dd>
        <dt>Brokers</dt>
        <dd className="mono">{made.brokers}</dd>
        <dt>Schema</dt>
        <dd>
          <span className="mono">{made.registry}</span>, id {made.schema_id}; or JSON
        </dd>
      </dl>
      <p className="soft small">
        From a terminal, with kcat (librdkafka 2.6.1 or newer
        {made.tls ? "; ca.pem is the certificate of the cluster's authority" : ""}):
      </p>
      <pre className="block mono">{kcatOf(made)}</pre>
      <div className="row end">
        <CopyButton small={false} label="Copy the command" text={kcatOf(made)} />
        <Button onClick={onClose}>I have stored it</Button>
      </div>
    </div>
  </Modal>
);
