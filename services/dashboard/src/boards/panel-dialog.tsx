/** Makes or changes one panel of a dashboard. */
import { useState } from "react";
import { findWrong } from "../explore/language.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { type Panel, type PanelKind, panelKinds } from "./data.ts";

const kindWords: Readonly<Record<PanelKind, string>> = {
  line: "Lines over time",
  bar: "Bars: top values",
  table: "Table",
  number: "Big number",
};
const fieldHints: Readonly<Record<PanelKind, string>> = {
  line: "A line for each of its values; empty parts by level",
  bar: "Its most frequent values",
  table: "Its values with counts; empty lists the latest events",
  number: "",
};

export const PanelDialog = ({
  of: given,
  onSave,
  onClose,
}: {
  of: Panel;
  onSave: (panel: Panel) => void;
  onClose: () => void;
}) => {
  const [panel, setPanel] = useState(given);
  const set = (changes: Partial<Panel>): void => setPanel((before) => ({ ...before, ...changes }));
  const wrong = findWrong(panel.q);
  return (
    <Modal open onClose={onClose} title={given.title === "" ? "New panel" : `Change ${given.title}`}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (panel.title.trim() !== "" && wrong === undefined) onSave({ ...panel, title: panel.title.trim() });
        }}
      >
        <Field label="Title">
          {(ids) => (
            <Input
              {...ids}
              autoFocus
              maxLength={100}
              value={panel.title}
              onChange={(e) => set({ title: e.target.value })}
            />
          )}
        </Field>
        <fieldset className="segmented">
          <legend className="hidden">Shown as</legend>
          {panelKinds.map((kind) => (
            <button key={kind} type="button" aria-pressed={panel.kind === kind} onClick={() => set({ kind })}>
              {kindWords[kind]}
            </button>
          ))}
        </fieldset>
        <Field
          label="Query"
          hint="As in Explore; empty is every event"
          error={wrong === undefined ? undefined : `${wrong.message} ${wrong.suggestion}`}
        >
          {(ids) => (
            <Input {...ids} className="mono" value={panel.q} onChange={(event) => set({ q: event.target.value })} />
          )}
        </Field>
        {panel.kind === "number" ? null : (
          <Field label="Field" hint={fieldHints[panel.kind]}>
            {(ids) => (
              <Input
                {...ids}
                className="mono"
                placeholder={panel.kind === "bar" ? "service" : ""}
                value={panel.field}
                onChange={(event) => set({ field: event.target.value.trim() })}
              />
            )}
          </Field>
        )}
        <div className="row">
          <Field label="Width">
            {(ids) => (
              <select
                {...ids}
                className="input"
                value={panel.width}
                onChange={(e) => set({ width: Number(e.target.value) })}
              >
                {[3, 4, 6, 8, 12].map((width) => (
                  <option key={width} value={width}>
                    {width === 12 ? "all" : `${width} of 12`}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Height">
            {(ids) => (
              <select
                {...ids}
                className="input"
                value={panel.height}
                onChange={(e) => set({ height: Number(e.target.value) })}
              >
                {["low", "usual", "high", "highest"].map((word, i) => (
                  <option key={word} value={i + 1}>
                    {word}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={panel.title.trim() === "" || wrong !== undefined}>
            {given.title === "" ? "Add" : "Keep"}
          </Button>
        </div>
      </form>
    </Modal>
  );
};
