/** Rules that keep what a query finds longer or shorter or drop some of its fields, and holds. */
import type { RetentionRule } from "@astralog/schemas/retention/rule";
import { Plus } from "lucide-react";
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { post, put, remove } from "../api/client.ts";
import { useSources } from "../sources/data.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { type Kept, type Rule, useKept } from "./data.ts";
import { FieldRuleDialog } from "./field-rule.tsx";

type Open =
  | { readonly kind: "new"; readonly what: RetentionRule["kind"] }
  | { readonly kind: "change" | "end"; readonly of: Rule };

export const Rules = () => {
  const [open, setOpen] = useState<Open>();
  const may = useMay()("retention.write");
  const kept = useKept();
  const names = new Map(kept.data?.sources.map(({ source, name }) => [source, name]));
  const close = (): void => setOpen(undefined);
  return (
    <Section
      title="Rules and holds"
      about="Each source has its own days. A rule keeps what a query finds for longer or shorter; of several the longest counts. Fields can go before their event does. What a hold finds is neither removed nor deleted. All of it holds for what is stored already, too."
      act={
        may ? (
          <>
            <Button small icon={<Plus size={14} />} onClick={() => setOpen({ kind: "new", what: "hold" })}>
              New hold
            </Button>
            <Button small icon={<Plus size={14} />} onClick={() => setOpen({ kind: "new", what: "drop_fields" })}>
              Drop fields
            </Button>
            <Button
              small
              look="primary"
              icon={<Plus size={14} />}
              onClick={() => setOpen({ kind: "new", what: "keep" })}
            >
              New rule
            </Button>
          </>
        ) : null
      }
    >
      <Read from={kept} what="the rules">
        {({ rules, plan }) => (
          <>
            {rules.length === 0 ? (
              <p className="soft small">No rule: each source's own days count, {plan.retention_days} at most.</p>
            ) : (
              <List heads={["Name", "Keeps", "What", "-Source", ""]}>
                {rules.map((one) => (
                  <Row key={one.id} of={one} name={names.get(one.rule.source)} may={may} onOpen={setOpen} />
                ))}
              </List>
            )}
            {open?.kind === "new" ? <AnyDialog what={open.what} plan={plan} onClose={close} /> : null}
            {open?.kind === "change" ? (
              <AnyDialog what={open.of.rule.kind} of={open.of} plan={plan} onClose={close} />
            ) : null}
            {open?.kind === "end" ? <EndRule of={open.of} onClose={close} /> : null}
          </>
        )}
      </Read>
    </Section>
  );
};

interface RowProps {
  readonly of: Rule;
  readonly name: string | undefined;
  readonly may: boolean;
  readonly onOpen: (open: Open) => void;
}

const Row = ({ of: one, name, may, onOpen }: RowProps) => {
  const { rule } = one;
  return (
    <tr>
      <td>
        <strong>{rule.name}</strong>
        {rule.reason === "" ? null : <div className="faint small break">{rule.reason}</div>}
      </td>
      <td>
        <Keeps of={rule} />
      </td>
      <td className="mono small break">{rule.query === "" ? "every event" : rule.query}</td>
      <td className="wide-only soft">{rule.source === "" ? "all" : (name ?? rule.source)}</td>
      <td className="acts">
        {may ? (
          <RowMenu label={`Acts on ${rule.name}`}>
            <MenuItem onSelect={() => onOpen({ kind: "change", of: one })}>Change</MenuItem>
            <MenuLine />
            <MenuItem danger onSelect={() => onOpen({ kind: "end", of: one })}>
              {rule.kind === "hold" ? "End the hold" : "Delete"}
            </MenuItem>
          </RowMenu>
        ) : null}
      </td>
    </tr>
  );
};

const Keeps = ({ of: { kind, days, fields, except } }: { of: RetentionRule }) =>
  kind === "hold" ? (
    <span className="badge">on hold</span>
  ) : kind === "keep" ? (
    `${days} d`
  ) : (
    <>
      <span className="mono small break">{fields.join(", ")}</span>{" "}
      {except.length === 0 ? null : <span className="mono small break">but {except.join(", ")} </span>}
      <span className="soft">for {days} d</span>
    </>
  );

interface DialogProps {
  readonly what: RetentionRule["kind"];
  readonly of?: Rule;
  readonly plan: Kept["plan"];
  readonly onClose: () => void;
}

const AnyDialog = ({ what, ...rest }: DialogProps) =>
  what === "drop_fields" ? <FieldRuleDialog {...rest} /> : <RuleDialog what={what} {...rest} />;

const RuleDialog = ({ what, of: one, plan, onClose }: DialogProps) => {
  const before = one?.rule;
  const [name, setName] = useState(before?.name ?? "");
  const [query, setQuery] = useState(before?.query ?? "");
  const [source, setSource] = useState(before?.source ?? "");
  const [days, setDays] = useState(String(before?.days ?? Math.min(30, plan.retention_days)));
  const [reason, setReason] = useState(before?.reason ?? "");
  const sources = useSources();
  const acts = useActs("retention");
  const hold = what === "hold";
  const body: RetentionRule = {
    name: name.trim(),
    kind: what,
    source,
    query,
    days: hold ? null : Number(days),
    reason,
    ...{ fields: [], except: [] },
  };
  const fine = Number(days) >= 1 && Number(days) <= plan.retention_days && /^\d+$/.test(days);
  const noun = hold ? "hold" : "rule";
  return (
    <ActDialog
      title={one === undefined ? `New ${noun}` : `Change ${one.rule.name}`}
      about={
        hold
          ? "Nothing that it finds is removed, and nothing of its sources can be deleted, until it is ended."
          : "It counts from the next look on, for what is stored already, too: fewer days remove events for good."
      }
      acts={acts}
      submit={one === undefined ? `Make the ${noun}` : "Save"}
      disabled={name.trim() === "" || (hold ? reason.trim() === "" : !fine)}
      work={() => (one === undefined ? post("/retention/rules", body) : put(`/retention/rules/${one.id}`, body))}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <Field label="Query" hint="As in Explore; empty is every event">
        {(ids) => <Input {...ids} className="mono" value={query} onChange={(event) => setQuery(event.target.value)} />}
      </Field>
      <Field label="Source">
        {(ids) => (
          <select {...ids} className="input" value={source} onChange={(event) => setSource(event.target.value)}>
            <option value="">all sources</option>
            {(sources.data ?? []).map(({ id, name: title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      {hold ? null : (
        <Field
          label="Keeps for, in days"
          error={fine ? undefined : `1 to ${plan.retention_days} days, as the plan allows.`}
        >
          {(ids) => (
            <Input {...ids} inputMode="numeric" value={days} onChange={(event) => setDays(event.target.value)} />
          )}
        </Field>
      )}
      <Field label="Why" hint={hold ? "For those who meet the hold later" : "Optional"}>
        {(ids) => <Input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
      </Field>
    </ActDialog>
  );
};

const EndRule = ({ of: { id, rule }, onClose }: { of: Rule; onClose: () => void }) => (
  <ConfirmDialog
    title={rule.kind === "hold" ? `End the hold ${rule.name}` : `Delete ${rule.name}`}
    about={
      rule.kind === "drop_fields"
        ? "No more fields are dropped by it. What it has dropped does not come back."
        : "What only it kept, and is past its time without it, is removed at the next look."
    }
    word={rule.name}
    acts={useActs("retention")}
    submit={rule.kind === "hold" ? "End it" : "Delete"}
    work={() => remove(`/retention/rules/${id}`)}
    onClose={onClose}
  />
);
