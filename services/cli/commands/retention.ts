/** `retention`: what is kept and how long, rules and holds, and what sweeps have found. */
import type { FieldRulePreview, RetentionRule } from "@astralog/schemas/retention/rule";
import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { table } from "../table.ts";
import { bytes, count, plural, printable } from "../text.ts";
import { readCount } from "../times.ts";
import { findSource } from "./sources.ts";

interface ShownRule {
  readonly id: string;
  readonly rule: RetentionRule;
}

interface SweepRow {
  readonly place: string;
  readonly removed: number;
  readonly overdue: number;
  readonly detail: string;
  readonly ended_at: string;
}

interface Overview {
  readonly plan: { readonly name: string; readonly retention_days: number };
  readonly sources: readonly {
    readonly source: string;
    readonly name: string;
    readonly events: number;
    readonly bytes: number;
    readonly oldest: string | null;
    readonly base?: number;
    readonly held?: "none" | "some" | "all";
    readonly expires_next: string | null;
    readonly expiring: number;
  }[];
  readonly dead_letters: number;
  readonly rules: readonly ShownRule[];
  readonly sweep: readonly SweepRow[];
}

const help = `
Days are counted from the receipt, in UTC. A changed rule holds for what is stored already, too: making days fewer removes
events within the hour. What a hold finds is not removed while the hold stands.`;

const fieldsText = ({ days, fields, except }: RetentionRule): string =>
  printable(`${fields.join(", ")}${except.length === 0 ? "" : ` but ${except.join(", ")}`} for ${days} d`);

const previewText = ({ events, due, held, buckets, places }: FieldRulePreview): string =>
  [
    `${plural(events, "event")} found that have some of these fields: ${count(due)} would lose them within the hour, ${count(held)} past their days are kept whole by a hold\n`,
    ...buckets.map(({ name, events: there, due: going, problem }) =>
      there === null
        ? `${printable(name)} could not be counted: ${printable(problem)}\n`
        : `in the bucket ${printable(name)} ${count(there)}, of which ${count(going ?? 0)} would\n`,
    ),
    table(
      ["PLACE", "REACHED", "HOW"],
      places.map(({ place, reached, detail }) => [place, reached ? "yes" : "no", printable(detail)]),
    ),
  ].join("");

const ruleTable = (rules: readonly ShownRule[]): string =>
  table(
    ["ID", "NAME", "KEEPS", "OF", "WHAT"],
    rules.map(({ id, rule }) => [
      id,
      printable(rule.name),
      rule.kind === "hold" ? "on hold" : rule.kind === "keep" ? `${rule.days} d` : fieldsText(rule),
      rule.source === "" ? "all sources" : rule.source,
      printable(rule.query === "" ? "every event" : rule.query),
    ]),
  );

const sweepTable = (rows: readonly SweepRow[]): string =>
  table(
    ["PLACE", "OVERDUE", "REMOVED", "AT", "FOUND"],
    rows.map((row) => [row.place, count(row.overdue), count(row.removed), row.ended_at, printable(row.detail)]),
    [1, 2],
  );

const overviewText = ({ plan, sources, dead_letters, rules, sweep }: Overview): string =>
  [
    table(
      ["SOURCE", "EVENTS", "SIZE", "KEPT", "SINCE", "EXPIRES NEXT"],
      sources.map((row) => [
        printable(row.name),
        count(row.events),
        bytes(row.bytes),
        row.held === "all" ? "on hold" : row.base === undefined ? "as it came" : `${row.base} d`,
        row.oldest ?? "–",
        row.expires_next === null ? "–" : `${row.expires_next}: ${count(row.expiring)}`,
      ]),
      [1, 2],
    ),
    `the plan (${printable(plan.name)}) keeps ${plan.retention_days} d at most; ${plural(dead_letters, "dead letter")}\n`,
    rules.length === 0 ? "" : `\n${ruleTable(rules)}`,
    sweep.length === 0 ? "\nnothing was looked through yet\n" : `\n${sweepTable(sweep)}`,
  ].join("");

interface RuleOptions {
  source?: string;
  query?: string;
  days?: string;
  reason?: string;
  field?: readonly string[];
  except?: readonly string[];
  preview?: true;
  json?: true;
}

const listed = (one: string, before: readonly string[] = []): string[] => [...before, one];

/** `retention show | keep | hold | drop-fields | remove | sweeps`. */
export const addRetention = (program: Command, cli: Cli): void => {
  const { terminal, api } = cli;
  const retention = program
    .command("retention")
    .summary("what is kept and how long: rules, holds, sweeps")
    .description("What is kept, how long, and what expires next.")
    .addHelpText("after", help);
  const json = (command: Command): Command => command.option("--json", "print JSON");

  json(retention.command("show", { isDefault: true }).description("Shows what is kept, by source.")).action(
    async (options: { json?: true }) => {
      const seen = await api().call<Overview>("GET", "retention", "admin");
      terminal().out(options.json === true ? `${JSON.stringify(seen)}\n` : overviewText(seen));
    },
  );

  const make = async (name: string, kind: RetentionRule["kind"], options: RuleOptions): Promise<void> => {
    const body = {
      ...(kind === "drop_fields" ? { fields: options.field ?? [], except: options.except ?? [] } : {}),
      ...{ name, kind, query: options.query ?? "", reason: options.reason ?? "" },
      source: options.source === undefined ? "" : (await findSource(cli, options.source)).id,
      days: options.days === undefined ? null : readCount(options.days, "--days", 1, 3650),
    };
    if (options.preview === true) {
      const seen = await api().call<FieldRulePreview>("POST", "retention/rules/preview", "admin", body);
      return terminal().out(options.json === true ? `${JSON.stringify(seen)}\n` : previewText(seen));
    }
    const made = await api().call<ShownRule>("POST", "retention/rules", "admin", body);
    terminal().out(options.json === true ? `${JSON.stringify(made)}\n` : ruleTable([made]));
  };
  const scoped = (command: Command): Command =>
    json(command)
      .argument("<name>", "what it is called")
      .option("--source <source>", "only of this source, by name or id")
      .option("--query <query>", "only what this finds");
  scoped(
    retention
      .command("keep")
      .description("Keeps what a query finds for so many days, longer or shorter than the rest."),
  )
    .requiredOption("--days <days>", "counted from the receipt")
    .option("--reason <text>", "why")
    .action((name: string, options: RuleOptions) => make(name, "keep", options));
  scoped(
    retention.command("hold").description("Holds events: nothing of it is removed or deleted while the hold stands."),
  )
    .requiredOption("--reason <text>", "why, for those who meet the hold later")
    .action((name: string, options: RuleOptions) => make(name, "hold", options));

  scoped(
    retention
      .command("drop-fields")
      .description("Drops fields of events after so many days; the events themselves stay as long as they would."),
  )
    .requiredOption("--days <days>", "counted from the receipt")
    .requiredOption(
      "--field <field>",
      "message, host, trace_id, span_id, attributes.NAME, attributes.START* or attributes.*; may be given again",
      listed,
    )
    .option(
      "--except <field>",
      "an attribute that stays, attributes.NAME or attributes.START*; may be given again",
      listed,
    )
    .option("--preview", "only say how many events it would find, and where it reaches")
    .option("--reason <text>", "why")
    .addHelpText(
      "after",
      `
What is dropped does not come back. No other rule may ask for a field that is dropped; a hold keeps what it finds whole.

  $ astralog retention drop-fields "words for a week" --days 7 --field message --preview
  $ astralog retention drop-fields "who" --days 30 --source shop --field 'attributes.user.*' --except attributes.user.plan`,
    )
    .action((name: string, options: RuleOptions) => make(name, "drop_fields", options));

  retention
    .command("remove")
    .description("Removes a rule, or ends a hold. What it kept beyond its source's days is removed within the hour.")
    .argument("<id>", "of the rule")
    .action(async (id: string) => {
      await api().call("DELETE", `retention/rules/${encodeURIComponent(id)}`, "admin");
    });

  json(
    retention
      .command("sweeps")
      .description("What was removed of yours, newest first.")
      .option("--limit <rows>", "most to print", "100"),
  ).action(async (options: { limit: string; json?: true }) => {
    const limit = String(readCount(options.limit, "--limit", 1, 1_000));
    const { sweeps } = await api().call<{ sweeps: SweepRow[] }>(
      "GET",
      withQuery("retention/sweeps", { limit }),
      "admin",
    );
    if (options.json === true) for (const row of sweeps) terminal().out(`${JSON.stringify(row)}\n`);
    else if (sweeps.length === 0) terminal().err("nothing was removed yet\n");
    else terminal().out(sweepTable(sweeps));
  });
};
