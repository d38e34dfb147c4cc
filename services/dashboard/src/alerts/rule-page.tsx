/** One rule: written in a form or as text, tried on what is stored while it is written, and saved. */
import "../style/pages.css";
import "../explore/explore.css";
import "./alerts.css";
import { lazy, Suspense, useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { asProblem, post, put } from "../api/client.ts";
import { useTagged } from "../api/read.ts";
import { useFields } from "../explore/data.ts";
import { useAddress } from "../shell/address.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Read } from "../ui/parts.tsx";
import { Waiting } from "../ui/states.tsx";
import { Condition } from "./rule-condition.tsx";
import { useSettled, useTrial } from "./rule-data.ts";
import { type Draft, idOf, newDraft } from "./rule-draft.ts";
import { Preview } from "./rule-preview.tsx";
import { Firing, Telling } from "./rule-telling.tsx";

/** With the library that reads YAML: few look at it. */
const RuleText = lazy(() => import("./rule-text.tsx").then((part) => ({ default: part.RuleText })));

interface Stored {
  readonly id: string;
  readonly version: number;
  readonly rule: Draft;
}

export const NewRulePage = () => {
  const address = useAddress();
  return (
    <div className="page page-wide">
      <Back />
      <Editor from={newDraft(address.get("q"))} />
    </div>
  );
};

export const RulePage = () => {
  const { id = "" } = useParams<{ id: string }>();
  const rule = useTagged<Stored>("alert-rule", `/alerts/rules/${encodeURIComponent(id)}`);
  return (
    <div className="page page-wide">
      <Back />
      <Read from={rule} what="the rule">
        {({ value, etag }) => <Editor key={etag} from={value.rule} stored={value} etag={etag} />}
      </Read>
    </div>
  );
};

const Back = () => (
  <p className="small">
    <Link href="/alerts?part=rules">All rules</Link>
  </p>
);

const recent = { from: "-1d", to: "" };
const views = ["form", "yaml", "json"] as const;
const viewNames = { form: "Form", yaml: "YAML", json: "JSON" } as const;

/** Fields of a body that has a list of rules are called after their place in it. */
const wrongsOf = (error: unknown): Record<string, string> =>
  error === null
    ? {}
    : Object.fromEntries(
        Object.entries(asProblem(error).fields).map(([field, wrong]) => [field.replace(/^rules\.0\./, ""), wrong]),
      );

const Editor = ({ from, stored, etag }: { from: Draft; stored?: Stored; etag?: string }) => {
  const [draft, setDraft] = useState(from);
  const [view, setView] = useState<(typeof views)[number]>("form");
  const [refused, setRefused] = useState<unknown>(null);
  const [, go] = useLocation();
  const fields = useFields(recent).data?.fields ?? [];
  const acts = useActs("alert-rules", "alert-rule");
  const may = useMay()("alerts.write");
  const settled = useSettled(draft);
  const trial = useTrial(settled, stored?.rule);
  const wrongs = { ...wrongsOf(trial.test.error), ...wrongsOf(refused) };
  const change = (next: Draft): void => {
    setRefused(null);
    setDraft(next);
  };
  const save = (): void =>
    void acts.run(async () => {
      try {
        if (stored === undefined) await post("/alerts/rules", draft);
        else await put(`/alerts/rules/${stored.id}`, draft, etag);
      } catch (error) {
        setRefused(error);
        throw error;
      }
      return () => go("/alerts?part=rules");
    });
  const rename = (name: string): void => {
    const follows = stored === undefined && draft.id === idOf(draft.name);
    change({ ...draft, name, ...(follows ? { id: idOf(name) } : {}) });
  };
  return (
    <form
      className="rule-editor"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <div className="stack">
        <header className="page-head">
          <h2>{stored === undefined ? "New rule" : stored.rule.name}</h2>
          <fieldset className="segmented">
            <legend className="hidden">Written as</legend>
            {views.map((one) => (
              <button key={one} type="button" aria-pressed={view === one} onClick={() => setView(one)}>
                {viewNames[one]}
              </button>
            ))}
          </fieldset>
        </header>
        {view === "form" ? (
          <>
            <div className="filters">
              <Field label="Name" error={wrongs.name}>
                {(ids) => <Input {...ids} value={draft.name} onChange={({ target }) => rename(target.value)} />}
              </Field>
              <Field
                label="Id"
                hint={stored === undefined ? "Its name in files and addresses; it stays." : undefined}
                error={wrongs.id}
              >
                {(ids) => (
                  <Input
                    {...ids}
                    className="mono"
                    disabled={stored !== undefined}
                    value={draft.id}
                    onChange={({ target }) => change({ ...draft, id: target.value })}
                  />
                )}
              </Field>
            </div>
            <Condition of={draft} {...{ wrongs, fields, range: recent }} onChange={change} />
            <details open={draft.windows !== undefined || draft.for !== undefined}>
              <summary className="small">When it fires and is well again, and how late events may come</summary>
              <Firing of={draft} wrongs={wrongs} onChange={change} />
            </details>
            <Telling of={draft} wrongs={wrongs} onChange={change} />
          </>
        ) : (
          <Suspense fallback={<Waiting />}>
            <RuleText key={view} of={draft} form={view} onChange={change} />
          </Suspense>
        )}
        <label className="choice">
          <input
            type="checkbox"
            checked={draft.enabled ?? true}
            onChange={({ target }) => change({ ...draft, enabled: target.checked })}
          />
          <span>It is on</span>
        </label>
        <Wrong>{acts.wrong}</Wrong>
        {may ? (
          <div className="row">
            <Button
              type="submit"
              look="primary"
              busy={acts.busy}
              disabled={draft.name.trim() === "" || draft.id === ""}
            >
              {stored === undefined ? "Make the rule" : "Save"}
            </Button>
            <Link className="button button-plain" href="/alerts?part=rules">
              Cancel
            </Link>
            {stored === undefined ? null : (
              <span className="soft small">
                Saving makes version {stored.version + 1} and ends the open incidents of this one.
              </span>
            )}
          </div>
        ) : null}
        {acts.dialog}
      </div>
      <Preview of={settled} stored={stored?.rule} trial={trial} settling={settled !== draft} onChange={change} />
    </form>
  );
};
