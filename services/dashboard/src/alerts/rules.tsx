/** The rules, and one as the JSON that files in git have, too. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { post, put, remove } from "../api/client.ts";
import { useAddress } from "../shell/address.ts";
import { Button, Field } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { type Rule, useRules } from "./data.ts";

/** What a new one begins with; `query` comes from a search. */
const draft = (query: string): object => ({
  ...{ id: "my-rule", name: "My rule" },
  when: { type: "threshold", query, value: "count()", by: [], window: "5m", above: 10 },
  ...{ severity: "warning", notify: [] },
});

type Open = { readonly kind: "new" } | { readonly kind: "edit" | "delete"; readonly rule: Rule };

export const Rules = () => {
  const rules = useRules();
  const may = useMay();
  const address = useAddress();
  const query = address.get("q");
  const [open, setOpen] = useState<Open | undefined>(address.get("new") === "" ? undefined : { kind: "new" });
  const close = (): void => {
    address.set({ new: "", q: "" }, true);
    setOpen(undefined);
  };
  const writes = may("alerts.write");
  return (
    <Section
      title="Rules"
      about="What is looked for. The same rules can be kept in git: astralog alerts plan, astralog alerts apply."
      act={
        writes ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={() => setOpen({ kind: "new" })}>
            New rule
          </Button>
        ) : null
      }
    >
      <Read from={rules} what="the rules">
        {({ rules: all }) =>
          all.length === 0 ? (
            <p className="soft small">There is no rule yet.</p>
          ) : (
            <List heads={["Rule", "Looks for", "-Severity", "-Changed", ""]}>
              {all.map((one) => (
                <tr key={one.id}>
                  <td>
                    <strong>{one.rule.name}</strong>
                    <div className="faint small mono">{one.id}</div>
                    {one.rule.enabled ? null : <span className="badge">off</span>}
                  </td>
                  <td>
                    {one.rule.when.type}
                    <div className="faint small mono break">{one.rule.when.query}</div>
                  </td>
                  <td className="wide-only">{one.rule.severity}</td>
                  <td className="wide-only figures">
                    {formatAgo(one.updated_at)}, version {one.version}
                  </td>
                  <td className="acts">
                    {writes ? (
                      <RowMenu label={`Acts on ${one.rule.name}`}>
                        <MenuItem onSelect={() => setOpen({ kind: "edit", rule: one })}>Edit</MenuItem>
                        <MenuLine />
                        <MenuItem danger onSelect={() => setOpen({ kind: "delete", rule: one })}>
                          Delete
                        </MenuItem>
                      </RowMenu>
                    ) : null}
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? <Editor from={draft(query)} onClose={close} /> : null}
      {open?.kind === "edit" ? <Editor of={open.rule} from={open.rule.rule} onClose={close} /> : null}
      {open?.kind === "delete" ? <DeleteRule of={open.rule} onClose={close} /> : null}
    </Section>
  );
};

const Editor = ({ of: rule, from, onClose }: { of?: Rule; from: object; onClose: () => void }) => {
  const [text, setText] = useState(JSON.stringify(from, undefined, 2));
  const acts = useActs("alert-rules");
  const work = (): Promise<unknown> => {
    const given: unknown = JSON.parse(text);
    return rule === undefined ? post("/alerts/rules", given) : put(`/alerts/rules/${rule.id}`, given);
  };
  const isJson = (): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  return (
    <ActDialog
      wide
      title={rule === undefined ? "New rule" : `Change ${rule.rule.name}`}
      about="What is left out has a default. A change is a new version, and ends the open incidents of the one before."
      {...{ acts, work, onClose, submit: "Save", disabled: !isJson() }}
    >
      <Field label="Rule" error={isJson() ? undefined : "This is not JSON yet."}>
        {(ids) => (
          <textarea
            {...ids}
            className="input mono"
            rows={18}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
    </ActDialog>
  );
};

const DeleteRule = ({ of: rule, onClose }: { of: Rule; onClose: () => void }) => (
  <ConfirmDialog
    title={`Delete ${rule.rule.name}`}
    about="Its open incidents end, and whoever was told of them is told so."
    word={rule.id}
    acts={useActs("alert-rules")}
    submit="Delete"
    work={() => remove(`/alerts/rules/${rule.id}`)}
    onClose={onClose}
  />
);
