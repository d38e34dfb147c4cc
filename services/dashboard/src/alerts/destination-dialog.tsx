/** Makes or changes a destination, with what a message to it will read like. */
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { patch, post } from "../api/client.ts";
import { Field, Input } from "../ui/controls.tsx";
import { localZone } from "../ui/time.ts";
import type { Destination } from "./data.ts";
import {
  bodyOf,
  direct,
  type Given,
  givenOf,
  isDirect,
  isPager,
  isWhole,
  type Kind,
  kindNames,
  kindWords,
} from "./destination-kinds.ts";
import { EscalationFields } from "./escalation-fields.tsx";
import { OnCallFields } from "./on-call-fields.tsx";
import { TemplateFields } from "./template-fields.tsx";

export const DestinationDialog = ({
  of: one,
  all,
  onClose,
  onMade,
}: {
  of?: Destination;
  all: readonly Destination[];
  onClose: () => void;
  /** With the secret of a new webhook, else "". */
  onMade: (secret: string) => void;
}) => {
  const isNew = one === undefined;
  const [given, setGiven] = useState(() => givenOf(one, new Date().toISOString().slice(0, 10), localZone));
  const set = (changes: Partial<Given>): void => setGiven((before) => ({ ...before, ...changes }));
  const acts = useActs("alert-destinations");
  const { kind } = given;
  const work = async (): Promise<{ secret?: string }> => {
    const body = bodyOf(given, isNew);
    return isNew ? post("/alerts/destinations", body) : patch(`/alerts/destinations/${one.id}`, body);
  };
  return (
    <ActDialog
      title={isNew ? "New destination" : `Change ${one.name}`}
      {...{ acts, work, onClose, submit: isNew ? "Make it" : "Save", disabled: !isWhole(given, isNew) }}
      onDone={({ secret = "" }) => onMade(secret)}
    >
      <Field label="Kind">
        {(ids) => (
          <select
            {...ids}
            className="input"
            disabled={!isNew}
            value={kind}
            onChange={(event) => set({ kind: event.target.value as Kind })}
          >
            {kindNames.map((each) => (
              <option key={each} value={each}>
                {kindWords[each]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Name">
        {(ids) => <Input {...ids} value={given.name} onChange={(event) => set({ name: event.target.value })} />}
      </Field>
      {isDirect(kind) ? (
        <Field
          label={direct[kind][1]}
          hint={isNew || kind === "webhook" || kind === "email" ? undefined : "Empty: it stays as it is."}
        >
          {(ids) => <Input {...ids} value={given.text} onChange={(event) => set({ text: event.target.value })} />}
        </Field>
      ) : kind === "on_call" ? (
        <OnCallFields of={given.onCall} all={all} onChange={(onCall) => set({ onCall })} />
      ) : (
        <EscalationFields of={given.escalation} all={all} onChange={(escalation) => set({ escalation })} />
      )}
      {isPager(kind) ? (
        <Field label="Region">
          {(ids) => (
            <select
              {...ids}
              className="input"
              value={given.region}
              onChange={(event) => set({ region: event.target.value as "us" | "eu" })}
            >
              <option value="us">United States</option>
              <option value="eu">Europe</option>
            </select>
          )}
        </Field>
      ) : null}
      {isDirect(kind) && kind !== "webhook" ? (
        <TemplateFields of={given.template} onChange={(template) => set({ template })} />
      ) : null}
      <label className="choice">
        <input type="checkbox" checked={given.standard} onChange={(event) => set({ standard: event.target.checked })} />
        <span>Tell it of every rule that names no destination</span>
      </label>
    </ActDialog>
  );
};
