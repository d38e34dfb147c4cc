/** Makes a source, or changes one. */
import { useState } from "react";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { type Source, useNewSource, useSourceChange } from "./data.ts";
import { Wrong } from "./key-dialogs.tsx";

const mega = 1_000_000;

export const SourceDialog = ({
  of: source,
  onDone,
  onClose,
}: {
  of?: Source;
  onDone: (source: Source) => void;
  onClose: () => void;
}) => {
  const [name, setName] = useState(source?.name ?? "");
  const [days, setDays] = useState(String(source?.retention_days ?? 30));
  const [limit, setLimit] = useState(String((source?.max_bytes_per_second ?? 0) / mega));
  const making = useNewSource();
  const changing = useSourceChange();
  const given = {
    name: name.trim(),
    retention_days: Number(days),
    max_bytes_per_second: Math.round(Number(limit) * mega),
  };
  const save = (): void =>
    source === undefined
      ? making.mutate(given, { onSuccess: onDone })
      : changing.mutate({ id: source.id, ...given }, { onSuccess: onDone });
  const wrongDays = /^\d+$/.test(days) && Number(days) >= 1 && Number(days) <= 3650 ? undefined : "1 to 3650 days.";
  const wrongLimit = Number(limit) >= 0 && limit.trim() !== "" ? undefined : "A number of megabytes; 0 is no limit.";
  return (
    <Modal open onClose={onClose} title={source === undefined ? "New source" : `Change ${source.name}`}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (given.name !== "" && wrongDays === undefined && wrongLimit === undefined) save();
        }}
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
          {(ids) => (
            <Input {...ids} inputMode="numeric" value={days} onChange={(event) => setDays(event.target.value)} />
          )}
        </Field>
        <Field label="Takes at most, in MB a second" hint="0 is no limit" error={wrongLimit}>
          {(ids) => (
            <Input {...ids} inputMode="decimal" value={limit} onChange={(event) => setLimit(event.target.value)} />
          )}
        </Field>
        <Wrong error={making.error ?? changing.error} />
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={making.isPending || changing.isPending}
            disabled={given.name === ""}
          >
            {source === undefined ? "Make the source" : "Save"}
          </Button>
        </div>
      </form>
    </Modal>
  );
};
