/** Makes a source, or changes one. */
import { useState } from "react";
import { ActDialog, type Acts, useActs } from "../account/acts.tsx";
import { patch, post } from "../api/client.ts";
import { useTagged } from "../api/read.ts";
import { Field, Input } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { Read } from "../ui/parts.tsx";
import type { Source } from "./data.ts";

const mega = 1_000_000;

interface Closing {
  readonly onClose: () => void;
}

export const NewSource = ({ onMade, onClose }: Closing & { onMade: (source: Source) => void }) => (
  <SourceForm acts={useActs("sources")} onDone={onMade} onClose={onClose} />
);

/** The form begins anew when the source was changed by somebody else meanwhile. */
export const ChangeSource = ({ of: { id, name }, onClose }: Closing & { of: Source }) => {
  const read = useTagged<Source>("source", `/sources/${id}`);
  const acts = useActs("sources", "source", "producers");
  if (read.data !== undefined)
    return <SourceForm key={read.data.etag} of={read.data.value} etag={read.data.etag} acts={acts} onClose={onClose} />;
  return (
    <Modal open onClose={onClose} title={`Change ${name}`}>
      <Read from={read} what="the source">
        {() => null}
      </Read>
    </Modal>
  );
};

interface FormProps extends Closing {
  readonly of?: Source;
  readonly etag?: string;
  readonly acts: Acts;
  readonly onDone?: (source: Source) => void;
}

const SourceForm = ({ of: source, etag, acts, onDone, onClose }: FormProps) => {
  const [name, setName] = useState(source?.name ?? "");
  const [days, setDays] = useState(String(source?.retention_days ?? 30));
  const [limit, setLimit] = useState(String((source?.max_bytes_per_second ?? 0) / mega));
  const given = {
    name: name.trim(),
    retention_days: Number(days),
    max_bytes_per_second: Math.round(Number(limit) * mega),
  };
  const wrongDays = /^\d+$/.test(days) && Number(days) >= 1 && Number(days) <= 3650 ? undefined : "1 to 3650 days.";
  const wrongLimit = Number(limit) >= 0 && limit.trim() !== "" ? undefined : "A number of megabytes; 0 is no limit.";
  return (
    <ActDialog
      title={source === undefined ? "New source" : `Change ${source.name}`}
      acts={acts}
      submit={source === undefined ? "Make the source" : "Save"}
      disabled={given.name === "" || wrongDays !== undefined || wrongLimit !== undefined}
      work={() =>
        source === undefined ? post<Source>("/sources", given) : patch<Source>(`/sources/${source.id}`, given, etag)
      }
      {...(onDone === undefined ? {} : { onDone })}
      onClose={onClose}
    >
      <Field label="Name" hint="A service, a cluster, a customer: what you would filter by">
        {(ids) => (
          <Input {...ids} autoFocus maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <Field
        label="Keeps events for, in days"
        hint={source === undefined ? undefined : "Fewer days remove at once, and for good, what is older"}
        error={wrongDays}
      >
        {(ids) => <Input {...ids} inputMode="numeric" value={days} onChange={(event) => setDays(event.target.value)} />}
      </Field>
      <Field label="Takes at most, in MB a second" hint="0 is no limit" error={wrongLimit}>
        {(ids) => (
          <Input {...ids} inputMode="decimal" value={limit} onChange={(event) => setLimit(event.target.value)} />
        )}
      </Field>
    </ActDialog>
  );
};
