/** Silences and maintenance windows: what nobody is told of for a while. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { ActDialog, useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { post, remove } from "../api/client.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { type Said, useSilences } from "./data.ts";

const words = ({ matchers }: Said): string =>
  matchers
    .map(({ label, op, values }) => `${label}${op === "!=" || op === "not in" ? "≠" : "="}${values.join("|")}`)
    .join(" ");

export const Silences = () => {
  const silences = useSilences();
  const acts = useActs("alert-silences");
  const may = useMay()("alerts.write");
  const [making, setMaking] = useState(false);
  return (
    <Section
      title="Silences"
      about="What matches is judged as always, and told to nobody. What still lasts at the end is told then."
      act={
        may ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={() => setMaking(true)}>
            New silence
          </Button>
        ) : null
      }
    >
      <Wrong>{acts.wrong}</Wrong>
      <Read from={silences} what="the silences">
        {({ silences: all }) =>
          all.length === 0 ? (
            <p className="soft small">Nothing is silenced.</p>
          ) : (
            <List heads={["Matches", "Ends", "-Why", ""]}>
              {all.toReversed().map((one) => (
                <tr key={one.id}>
                  <td>
                    <span className="mono break">{words(one)}</span>
                    <div className="faint small">{one.kind}</div>
                  </td>
                  <td className="figures">{one.ends_at === null ? "when it is taken away" : formatAgo(one.ends_at)}</td>
                  <td className="wide-only break">{one.comment}</td>
                  <td className="acts">
                    {may ? (
                      <Button
                        small
                        disabled={acts.busy}
                        onClick={() => void acts.run(() => remove(`/alerts/silences/${one.id}`))}
                      >
                        End it
                      </Button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {acts.dialog}
      {making ? <NewSilence onClose={() => setMaking(false)} /> : null}
    </Section>
  );
};

const read = (text: string): { label: string; values: string[] }[] | undefined => {
  const parts = text.split(/\s+/).filter((part) => part !== "");
  const pairs = parts.map((part) => /^([A-Za-z_][\w.-]*)=(.*)$/.exec(part));
  if (pairs.length === 0 || pairs.includes(null)) return undefined;
  return pairs.map((pair) => ({ label: pair?.[1] ?? "", values: [pair?.[2] ?? ""] }));
};

const NewSilence = ({ onClose }: { onClose: () => void }) => {
  const [text, setText] = useState("");
  const [hours, setHours] = useState("2");
  const [comment, setComment] = useState("");
  const [planned, setPlanned] = useState(false);
  const acts = useActs("alert-silences");
  const matchers = read(text);
  const work = () =>
    post("/alerts/silences", {
      ...{ matchers, comment, kind: planned ? "maintenance" : "silence" },
      ends_at: new Date(Date.now() + Number(hours) * 3_600_000).toISOString(),
    });
  const disabled = matchers === undefined || !(Number(hours) > 0);
  return (
    <ActDialog title="New silence" {...{ acts, work, onClose, disabled, submit: "Silence" }}>
      <Field
        label="What"
        hint="service=checkout severity=warning: all must hold. rule, severity, labels and group fields."
      >
        {(ids) => <Input {...ids} autoFocus value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <Field label="For how many hours">
        {(ids) => (
          <Input {...ids} inputMode="decimal" value={hours} onChange={(event) => setHours(event.target.value)} />
        )}
      </Field>
      <Field label="Why">
        {(ids) => <Input {...ids} value={comment} onChange={(event) => setComment(event.target.value)} />}
      </Field>
      <label className="choice">
        <input type="checkbox" checked={planned} onChange={(event) => setPlanned(event.target.checked)} />
        <span>It is planned maintenance</span>
      </label>
    </ActDialog>
  );
};
