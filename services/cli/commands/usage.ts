import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { table } from "../table.ts";
import { bytes, count, printable } from "../text.ts";

interface Day {
  day: string;
  source: string;
  name: string;
  events: number;
  bytes: number;
  dropped: Record<string, number>;
  redacted: Record<string, number>;
}

interface Plan {
  plan: string;
  limits: {
    retention_days: number;
    max_bytes_per_second: number;
    daily_bytes: number;
    partitions: number;
    seats: number;
    features: string[];
  };
  overridden: string[];
  today: { day: string; events: number; bytes: number; resets_at: string };
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, one) => all + one, 0);

const row = (day: Day): string[] => [
  day.day,
  printable(day.name === "" ? day.source : day.name),
  count(day.events),
  bytes(day.bytes),
  count(sum(day.dropped)),
  count(sum(day.redacted)),
];

/** `usage` and `plan`. */
export const addUsage = (program: Command, { terminal, api }: Cli): void => {
  program
    .command("usage")
    .summary("what was stored, by day and source")
    .description(
      "What the ledger has, by day of UTC and source: events, their bytes as they are stored (encoded, not compressed), what was dropped, what was redacted.",
    )
    .option("--from <day>", "first day, as 2026-01-31; 29 days before --to unless given")
    .option("--to <day>", "last day; today unless given")
    .option("--json", "print one JSON object a line")
    .action(async ({ from, to, json }: { from?: string; to?: string; json?: true }) => {
      const answer = await api().call<{ days: Day[] }>("GET", withQuery("usage", { from, to }), "admin");
      const { days } = answer;
      if (json === true) for (const day of days) terminal().out(`${JSON.stringify(day)}\n`);
      else if (days.length === 0) terminal().err("nothing was stored in these days\n");
      else
        terminal().out(table(["DAY", "SOURCE", "EVENTS", "SIZE", "DROPPED", "REDACTED"], days.map(row), [2, 3, 4, 5]));
    });

  program
    .command("plan")
    .summary("the plan's limits, and how much of today is used")
    .description("The organization's plan: what it allows, and how much of today's volume is used.")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: true }) => {
      const plan = await api().call<Plan>("GET", "organization/plan", "admin");
      if (json === true) return terminal().out(`${JSON.stringify(plan)}\n`);
      const { limits, today, overridden } = plan;
      const limit = (value: number, text: (value: number) => string) => (value === 0 ? "unlimited" : text(value));
      const share = limits.daily_bytes === 0 ? "" : ` (${Math.floor((today.bytes / limits.daily_bytes) * 100)} %)`;
      const lines = [
        ["plan", plan.plan, ""],
        ["kept at most", `${limits.retention_days} d`, "retention_days"],
        ["a second", limit(limits.max_bytes_per_second, (value) => `${bytes(value)}/s`), "max_bytes_per_second"],
        ["a day", limit(limits.daily_bytes, bytes), "daily_bytes"],
        ["today", `${bytes(today.bytes)}${share}, ${count(today.events)} events; anew at ${today.resets_at}`, ""],
        ["partitions", String(limits.partitions), "partitions"],
        ["seats", limit(limits.seats, count), "seats"],
        ["features", limits.features.join(", "), "features"],
      ].map(([name, value = "", field = ""]) => [name ?? "", value, overridden.includes(field) ? "agreed" : ""]);
      terminal().out(table(["WHAT", "HOW MUCH", ""], lines));
    });
};
