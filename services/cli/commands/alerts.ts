/** `alerts`: rules, incidents, silences, and whom they are told to. */
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { printable } from "../text.ts";
import { type Ask, addRules, groupWords } from "./alert-rules.ts";

interface Incident {
  readonly id: string;
  readonly rule: string;
  readonly state: string;
  readonly created_at: string;
  readonly incident: { readonly group: Record<string, string>; readonly hold: string };
}

interface Destination {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly standard: boolean;
  readonly enabled: boolean;
  readonly problem: string;
}

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
  const ask: Ask = (method, path, body) => api().call(method, `alerts/${path}`, "admin", body);
  addRules(alerts, cli, ask);

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
        groupWords(group),
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
    .command("snooze")
    .description("Tells nobody of an incident for a while; what lasts is told again then.")
    .argument("<incident>")
    .requiredOption("--for <time>", "30m, 2h, 7d")
    .option("--comment <text>", "for the others", "")
    .action(async (id: string, { for: time, comment }: { for: string; comment: string }) => {
      const until = new Date(Date.now() + durationMs(time)).toISOString();
      await ask("POST", `incidents/${encodeURIComponent(id)}/snooze`, { until, comment });
    });

  alerts
    .command("resolve")
    .description("Says that an incident is over; what is found later is new.")
    .argument("<incident>")
    .option("--comment <text>", "for the others", "")
    .action(async (id: string, { comment }: { comment: string }) => {
      await ask("POST", `incidents/${encodeURIComponent(id)}/resolve`, { comment });
    });

  alerts
    .command("destinations")
    .description("Lists whom alerts are told to.")
    .action(async () => {
      const { destinations } = await ask<{ destinations: Destination[] }>("GET", "destinations");
      const rows = destinations.map(({ id, name, kind, standard, enabled, problem }) => [
        ...[id, kind, enabled ? "on" : `off: ${printable(problem)}`, standard ? "yes" : "", printable(name)],
      ]);
      terminal().out(table(["DESTINATION", "KIND", "STATE", "STANDARD", "NAME"], rows));
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
