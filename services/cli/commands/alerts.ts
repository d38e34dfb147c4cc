/** `alerts`: rules from files with a plan first, incidents, silences, and tries. */
import { globSync, readFileSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import type { Command } from "commander";
import { parseAllDocuments } from "yaml";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { printable } from "../text.ts";

interface Change {
  readonly id: string;
  readonly change: "create" | "update" | "delete";
  readonly fields: readonly { readonly field: string; readonly before: string; readonly after: string }[];
}

interface ShownRule {
  readonly id: string;
  readonly version: number;
  readonly rule: { readonly name: string; readonly severity: string; readonly enabled: boolean };
}

interface Incident {
  readonly id: string;
  readonly rule: string;
  readonly state: string;
  readonly created_at: string;
  readonly incident: { readonly group: Record<string, string>; readonly hold: string };
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

const durationMs = (text: string): number => {
  const [, count = "", unit = ""] = /^(\d{1,6})(m|h|d|w)$/.exec(text) ?? [];
  const factor = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[unit];
  if (factor === undefined) throw new Failure(`${text} is no time such as 30m, 2h or 7d.`, "", 2);
  return Number(count) * factor;
};

export const addAlerts = (program: Command, cli: Cli): void => {
  const { terminal, api } = cli;
  const alerts = program
    .command("alerts")
    .summary("rules from files, incidents, silences")
    .description("Alert rules, as files in git too, and what came of them. docs/alerts.md tells all of it.");
  const ask = <T>(method: "GET" | "POST", path: string, body?: object) =>
    api().call<T>(method, `alerts/${path}`, "admin", body);

  alerts
    .command("list", { isDefault: true })
    .description("Lists the rules.")
    .action(async () => {
      const { rules } = await ask<{ rules: ShownRule[] }>("GET", "rules");
      const rows = rules.map(({ id, version, rule }) => [
        id,
        String(version),
        rule.enabled ? "on" : "off",
        rule.severity,
        printable(rule.name),
      ]);
      terminal().out(table(["RULE", "VERSION", "STATE", "SEVERITY", "NAME"], rows, [1]));
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
    .command("incidents")
    .description("Lists the incidents that are open.")
    .option("--all", "those that are over, too")
    .action(async ({ all }: { all?: true }) => {
      const { incidents } = await ask<{ incidents: Incident[] }>(
        "GET",
        `incidents?limit=1000${all === true ? "" : "&open=true"}`,
      );
      const rows = incidents.map(({ id, rule, state, created_at, incident: { group, hold } }) => [
        id,
        rule,
        hold === "" ? state : `${state} (${hold})`,
        created_at,
        printable(
          Object.entries(group)
            .map(([field, value]) => `${field}=${value}`)
            .join(" "),
        ),
      ]);
      terminal().out(table(["INCIDENT", "RULE", "STATE", "SINCE", "GROUP"], rows));
    });

  alerts
    .command("ack")
    .description("Says that somebody is at it: no reminders, no further steps.")
    .argument("<incident>")
    .option("--comment <text>", "for the others", "")
    .action(async (id: string, { comment }: { comment: string }) => {
      await ask("POST", `incidents/${encodeURIComponent(id)}/acknowledge`, { comment });
    });

  alerts
    .command("silence")
    .description("Tells nobody of what matches, for a while.")
    .argument("<label=value...>", "all must hold; rule, severity, the rule's labels and the group's fields")
    .requiredOption("--for <time>", "30m, 2h, 7d")
    .option("--maintenance", "say that it is planned work")
    .option("--comment <text>", "why", "")
    .action(async (given: string[], options: { for: string; maintenance?: true; comment: string }) => {
      const matchers = given.map((text) => {
        const at = text.indexOf("=");
        if (at < 1) throw new Failure(`${text} is not label=value.`, "", 2);
        return { label: text.slice(0, at), values: [text.slice(at + 1)] };
      });
      const made = await ask<{ id: string }>("POST", "silences", {
        ...{ matchers, kind: options.maintenance === true ? "maintenance" : "silence", comment: options.comment },
        ends_at: new Date(Date.now() + durationMs(options.for)).toISOString(),
      });
      terminal().out(`${made.id}\n`);
    });

  alerts
    .command("test")
    .description("Sends a test to a destination, now.")
    .argument("<destination>", "its id, dst_…")
    .action(async (id: string) => {
      const { outcome, problem } = await ask<{ outcome: string; problem: string }>(
        "POST",
        `destinations/${encodeURIComponent(id)}/test`,
      );
      if (outcome !== "taken") throw new Failure(`It was not taken: ${problem}`);
      terminal().err("taken\n");
    });
};
