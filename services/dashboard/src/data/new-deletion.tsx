/** Asks what to delete, says how much that is, and has the name typed before. */
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { post } from "../api/client.ts";
import { useSources } from "../sources/data.ts";
import { Field, Input } from "../ui/controls.tsx";
import { number } from "../ui/time.ts";
import type { Deletion } from "./data.ts";

interface Preview {
  readonly events: number;
  readonly dead_letters: number;
  readonly buckets: readonly { readonly name: string; readonly events: number | null; readonly problem: string }[];
  /** What must be typed. */
  readonly confirm: string;
}

const kinds = [
  ["query", "What a query finds"],
  ["source", "Everything of a source"],
  ["organization", "Everything of the organization"],
] as const;

export const NewDeletion = ({ onClose }: { onClose: () => void }) => {
  const [kind, setKind] = useState<Deletion["kind"]>("query");
  const [query, setQuery] = useState("");
  const [source, setSource] = useState("");
  const [reason, setReason] = useState("");
  const [preview, setPreview] = useState<Preview>();
  const [typed, setTyped] = useState("");
  const sources = useSources();
  const acts = useActs("deletions", "retention");
  const scope = { kind, ...(kind === "query" ? { query } : {}), ...(kind === "source" ? { source } : {}) };
  /** Whatever changes, what was counted is another thing's. */
  const change =
    <T,>(set: (value: T) => void) =>
    (value: T): void => {
      set(value);
      setPreview(undefined);
      setTyped("");
    };
  const chosen = kind === "organization" || (kind === "query" ? query.trim() !== "" : source !== "");
  return (
    <ActDialog
      title="Delete events"
      about="What was received until now and is in the scope is removed everywhere, and cannot be brought back."
      acts={acts}
      submit={preview === undefined ? "Count them first" : "Delete for good"}
      danger={preview !== undefined}
      disabled={!chosen || reason.trim() === "" || (preview !== undefined && typed !== preview.confirm)}
      work={async () => {
        if (preview === undefined) return post<Preview>("/deletions/preview", scope);
        await post("/deletions", { ...scope, reason: reason.trim(), confirm: typed });
        return undefined;
      }}
      onDone={(counted) => (counted === undefined ? onClose() : setPreview(counted))}
      onClose={onClose}
    >
      <fieldset className="choices">
        <legend>What</legend>
        {kinds.map(([one, words]) => (
          <label key={one} className="choice">
            <input type="radio" name="kind" checked={kind === one} onChange={() => change(setKind)(one)} />
            <span>{words}</span>
          </label>
        ))}
      </fieldset>
      {kind === "query" ? (
        <Field label="Query" hint="As in Explore, such as user.id:7">
          {(ids) => (
            <Input {...ids} className="mono" value={query} onChange={(event) => change(setQuery)(event.target.value)} />
          )}
        </Field>
      ) : null}
      {kind === "source" ? (
        <Field label="Source">
          {(ids) => (
            <select
              {...ids}
              className="input"
              value={source}
              onChange={(event) => change(setSource)(event.target.value)}
            >
              <option value="">choose one</option>
              {(sources.data ?? []).map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      ) : null}
      <Field label="Why" hint="It stands in the certificate">
        {(ids) => <Input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
      </Field>
      {preview === undefined ? null : (
        <>
          <p role="status">
            <strong className="figure">{number.format(preview.events)}</strong> events and{" "}
            {number.format(preview.dead_letters)} dead letters are in it now
            {preview.buckets.map(({ name, events, problem }) =>
              events === null ? `; ${name} could not be counted: ${problem}` : `, ${number.format(events)} in ${name}`,
            )}
            . What is on its way is deleted, too.
          </p>
          <Field label={`Type ${preview.confirm} to confirm`}>
            {(ids) => <Input {...ids} autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} />}
          </Field>
        </>
      )}
    </ActDialog>
  );
};
