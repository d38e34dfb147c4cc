/** A mark for the histogram: what happened, and when. */
import "../account/account.css";
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { post } from "../api/client.ts";
import { Field, Input } from "../ui/controls.tsx";
import { localZone } from "../ui/time.ts";
import { type MarkKind, markKinds } from "./marks-data.ts";

const kindWords: Readonly<Record<MarkKind, string>> = { deploy: "A deploy", alert: "An alert", note: "A note" };

/** As an input of date and time has it: without a zone. */
const written = (ms: number, utc: boolean): string =>
  new Date(utc ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
const instantOf = (text: string, utc: boolean): number => Date.parse(utc ? `${text}Z` : text);

interface NewMarkProps {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly utc: boolean;
  readonly onClose: () => void;
}

export const NewMark = ({ at, utc, onClose }: NewMarkProps) => {
  const [kind, setKind] = useState<MarkKind>("deploy");
  const [title, setTitle] = useState("");
  const [service, setService] = useState("");
  const [url, setUrl] = useState("");
  const [when, setWhen] = useState(written(at, utc));
  const acts = useActs("annotations");
  const instant = instantOf(when, utc);
  const work = () =>
    post("/annotations", {
      ...{ kind, title: title.trim(), service: service.trim(), url: url.trim() },
      at: new Date(instant).toISOString(),
    });
  const disabled = title.trim() === "" || Number.isNaN(instant);
  return (
    <ActDialog
      title="Mark a moment"
      about="Everybody in the organization sees it over the counts of events. Deploys are best marked by the pipeline itself: POST /api/v1/annotations."
      {...{ acts, work, onClose, disabled, submit: "Mark" }}
    >
      <Field label="What happened">
        {(ids) => (
          <Input {...ids} autoFocus maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />
        )}
      </Field>
      <Field label="It is">
        {(ids) => (
          <select
            {...ids}
            className="input"
            value={kind}
            onChange={(event) => setKind(markKinds.find((one) => one === event.target.value) ?? "note")}
          >
            {markKinds.map((one) => (
              <option key={one} value={one}>
                {kindWords[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="When" hint={utc ? "UTC" : localZone}>
        {(ids) => (
          <Input
            {...ids}
            type="datetime-local"
            step={1}
            value={when}
            onChange={(event) => setWhen(event.target.value)}
          />
        )}
      </Field>
      <Field label="Service" hint="If it is about one">
        {(ids) => (
          <Input {...ids} maxLength={200} value={service} onChange={(event) => setService(event.target.value)} />
        )}
      </Field>
      <Field label="Link" hint="Where more is said: a release, a ticket">
        {(ids) => <Input {...ids} type="url" value={url} onChange={(event) => setUrl(event.target.value)} />}
      </Field>
    </ActDialog>
  );
};
