/** `alerts`, of rules: as they stand, from files with a plan first, and over the past. */
import { globSync, readFileSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import type { Command } from "commander";
import { parseAllDocuments } from "yaml";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { printable } from "../text.ts";

/** The api, under its alerts. */
export type Ask = <T>(method: "GET" | "POST", path: string, body?: object) => Promise<T>;

interface Change {
  readonly id: string;
  readonly change: "create" | "update" | "delete";
  readonly fields: readonly { readonly field: string; readonly before: string; readonly after: string }[];
}

interface ShownRule {
  readonly id: string;
  readonly version: number;
  readonly rule: { readonly name: string; readonly severity: string };
  readonly standing: {
    readonly state: string;
    readonly open: number;
    readonly incomplete: { readonly completeness: number; readonly judged_at: string } | null;
  };
}

interface Run {
  readonly hash: string;
  readonly events: number;
  readonly firings: number;
  readonly incidents: number;
  readonly transitions: readonly Transition[];
  readonly truncated: boolean;
  readonly suggestion: { readonly threshold: number; readonly firings: number } | null;
}

interface Transition {
  readonly group: Record<string, string>;
  readonly to: string;
  readonly window_to: string;
  readonly reason: string;
}

interface Backtest {
  readonly runs: readonly Run[];
  readonly differences: {
    readonly only_first: readonly Transition[];
    readonly only_second: readonly Transition[];
  } | null;
}

const filesOf = (path: string): string[] =>
  statSync(path).isDirectory()
    ? globSync("**/*.{json,yaml,yml}", { cwd: path })
        .sort()
        .map((file) => join(path, file))
    : [path];

/** A file has one rule, a list of them, or (YAML) several documents. */
const rulesIn = (path: string): unknown[] => {
  const text = readFileSync(path, "utf8");
  if (extname(path) === ".json") {
    try {
      return [JSON.parse(text)].flat();
    } catch (error) {
      throw new Failure(`${path} is not JSON: ${(error as Error).message}`);
    }
  }
  return parseAllDocuments(text).flatMap((document) => {
    const [wrong] = document.errors;
    if (wrong !== undefined) throw new Failure(`${path} is not YAML: ${wrong.message}`);
    return [document.toJS() as unknown].flat().filter((one) => one !== null);
  });
};

const readRules = (paths: readonly string[]): unknown[] => {
  try {
    return paths
      .map((path) => resolve(path))
      .flatMap(filesOf)
      .flatMap(rulesIn);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`The rules cannot be read: ${(error as Error).message}`);
  }
};

/** As a diff is read: + what comes, - what goes. */
const describe = (changes: readonly Change[]): string =>
  changes
    .map(({ id, change, fields }) => {
      const sign = { create: "+", update: "~", delete: "-" }[change];
      const lines =
        change === "update"
          ? fields.flatMap(({ field, before, after }) => [`    - ${field}: ${before}`, `    + ${field}: ${after}`])
          : [];
      return [`${sign} ${id}`, ...lines].map((line) => `${printable(line)}\n`).join("");
    })
    .join("");

export const groupWords = (group: Record<string, string>): string =>
  printable(
    Object.entries(group)
      .map(([field, value]) => `${field}=${value}`)
      .join(" "),
  );

/** `sign`: where versions are compared. */
const rowsOf = (transitions: readonly Transition[], sign = ""): string[][] =>
  transitions.map(({ window_to, to, group, reason }) => [
    `${sign}${window_to}`,
    to,
    groupWords(group),
    printable(reason),
  ]);

export const addRules = (alerts: Command, cli: Cli, ask: Ask): void => {
  const { terminal, api } = cli;

  alerts
    .command("list", { isDefault: true })
    .description("Lists the rules, how they stand, and what the last window that was not complete had.")
    .action(async () => {
      const { rules } = await ask<{ rules: ShownRule[] }>("GET", "rules");
      const rows = rules.map(({ id, version, rule, standing: { state, open, incomplete } }) => [
        id,
        String(version),
        open > 1 ? `${state} (${open})` : state,
        rule.severity,
        incomplete === null ? "" : `${Math.floor(incomplete.completeness * 100)} % at ${incomplete.judged_at}`,
        printable(rule.name),
      ]);
      terminal().out(table(["RULE", "VERSION", "STATE", "SEVERITY", "INCOMPLETE", "NAME"], rows, [1]));
    });

  alerts
    .command("show")
    .description("Prints a rule as JSON, as `apply` takes it.")
    .argument("<rule>")
    .action(async (id: string) => {
      const { rule } = await ask<ShownRule>("GET", `rules/${encodeURIComponent(id)}`);
      terminal().out(`${JSON.stringify(rule, undefined, 2)}\n`);
    });

  for (const [name, summary] of [
    ["plan", "Says what applying files of rules would change. Exit code 1 when it would change anything."],
    ["apply", "Makes the rules what the files say, all or nothing."],
  ] as const)
    alerts
      .command(name)
      .description(summary)
      .argument("<path...>", "files or folders of JSON and YAML")
      .option("--prune", "delete rules that are in none of the files")
      .action(async (paths: string[], { prune = false }: { prune?: boolean }) => {
        const { changes } = await ask<{ changes: Change[] }>("POST", `rules/${name}`, {
          rules: readRules(paths),
          prune,
        });
        terminal().out(describe(changes));
        terminal().err(
          changes.length === 0
            ? "nothing to change\n"
            : `${changes.length} ${name === "plan" ? "to change" : "changed"}\n`,
        );
        if (name === "plan" && changes.length > 0) cli.setExitCode(1);
      });

  alerts
    .command("backtest")
    .description("Says when rules of files would have fired, and what differs from what is stored of them.")
    .argument("<path...>", "files or folders of JSON and YAML")
    .option("--days <n>", "so far back, 31 at most", "7")
    .option("--per-week <n>", "find the threshold with which it would have fired so often a week")
    .action(async (paths: string[], { days, perWeek }: { days: string; perWeek?: string }) => {
      const { rules: stored } = await ask<{ rules: { id: string; rule: object }[] }>("GET", "rules");
      for (const rule of readRules(paths)) {
        const { id = "" } = rule as { id?: string };
        const now = stored.find((one) => one.id === id)?.rule;
        const { runs, differences } = await api().call<Backtest>("POST", "alerts/backtest", "query", {
          ...{ rules: now === undefined ? [rule] : [rule, now], days: Number(days) },
          ...(perWeek === undefined ? {} : { per_week: Number(perWeek) }),
        });
        const [run] = runs;
        if (run === undefined) continue;
        const { firings, incidents, events, hash, suggestion, truncated, transitions } = run;
        terminal().err(
          `${printable(id)}: fires ${firings}x in ${days} d; incidents ${incidents}, events ${events}, hash ${hash}\n`,
        );
        terminal().out(table(["WINDOW'S END", "STATE", "GROUP", "WHY"], rowsOf(transitions)));
        if (truncated) terminal().err("not all of them are shown\n");
        if (suggestion !== null)
          terminal().err(`a threshold of ${suggestion.threshold} would have fired ${suggestion.firings} times\n`);
        if (differences === null) continue;
        const { only_first: more, only_second: fewer } = differences;
        if (more.length + fewer.length === 0) terminal().err("the same as the stored rule would have\n");
        else
          terminal().err(
            `${more.length} that the stored rule would not have (+), ${fewer.length} that it alone would (-)\n`,
          );
        const rows = [...rowsOf(more, "+ "), ...rowsOf(fewer, "- ")];
        if (rows.length > 0) terminal().out(table(["WINDOW'S END", "STATE", "GROUP", "WHY"], rows));
      }
    });
};
