/** The rules that there are. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { put, remove } from "../api/client.ts";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { percentOf, type Rule, stateWords, useRules } from "./data.ts";
import { type Kind, kinds } from "./rule-draft.ts";

export const Rules = () => {
  const rules = useRules();
  const may = useMay();
  const [doomed, setDoomed] = useState<Rule>();
  const acts = useActs("alert-rules");
  const [, go] = useLocation();
  const writes = may("alerts.write");
  const turn = ({ id, rule }: Rule): void =>
    void acts.run(() => put(`/alerts/rules/${id}`, { ...rule, enabled: !rule.enabled }));
  return (
    <Section
      title="Rules"
      about="What is looked for. The same rules can be kept in git: astralog alerts plan, astralog alerts apply."
      act={
        writes ? (
          <Link className="button button-primary button-small" href="/alerts/new-rule">
            <Plus size={14} aria-hidden /> New rule
          </Link>
        ) : null
      }
    >
      <Wrong>{acts.wrong}</Wrong>
      <Read from={rules} what="the rules">
        {({ rules: all }) =>
          all.length === 0 ? (
            <p className="soft small">There is no rule yet.</p>
          ) : (
            <List heads={["Rule", "Now", "-Looks for", "-Severity", "-Changed", ""]}>
              {all.map((one) => (
                <tr key={one.id}>
                  <td>
                    <Link href={`/alerts/rules/${one.id}`}>
                      <strong>{one.rule.name}</strong>
                    </Link>
                    <div className="faint small mono">{one.id}</div>
                  </td>
                  <td>
                    <Standing of={one} />
                  </td>
                  <td className="wide-only">
                    {kinds[one.rule.when.type as Kind]?.title ?? one.rule.when.type}
                    <div className="faint small mono break">{one.rule.when.query}</div>
                  </td>
                  <td className="wide-only">{one.rule.severity}</td>
                  <td className="wide-only figures">
                    {formatAgo(one.updated_at)}, version {one.version}
                  </td>
                  <td className="acts">
                    {writes ? (
                      <RowMenu label={`Acts on ${one.rule.name}`}>
                        <MenuItem onSelect={() => go(`/alerts/rules/${one.id}`)}>Edit</MenuItem>
                        <MenuItem onSelect={() => turn(one)}>{one.rule.enabled ? "Turn off" : "Turn on"}</MenuItem>
                        <MenuLine />
                        <MenuItem danger onSelect={() => setDoomed(one)}>
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
      {acts.dialog}
      {doomed === undefined ? null : <DeleteRule of={doomed} onClose={() => setDoomed(undefined)} />}
    </Section>
  );
};

/** Older waiting is of no use to whoever asks why nothing was told. */
const recentMs = 3_600_000;

const Standing = ({ of: { id, standing } }: { of: Rule }) => {
  const { state, open, incomplete } = standing;
  const waited = incomplete !== null && Date.now() - Date.parse(incomplete.judged_at) < recentMs ? incomplete : null;
  return (
    <>
      {state === "off" ? <span className="badge">off</span> : null}
      {state === "ok" ? <span className="good">ok</span> : null}
      {open > 0 ? (
        <Link href={`/alerts?${new URLSearchParams({ rule: id })}`} className="warn">
          {stateWords(state)}
          {open > 1 ? `, ${open} open` : ""}
        </Link>
      ) : null}
      {waited === null ? null : (
        <div className="faint small">
          incomplete {percentOf(waited.completeness)} {formatAgo(waited.judged_at)}: not everything received had come
          through
        </div>
      )}
    </>
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
