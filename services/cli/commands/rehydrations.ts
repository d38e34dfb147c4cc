/** `rehydrations`: bring a range of days back from a bucket of the organization's own, for a while. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { table } from "../table.ts";
import { bytes, count, plural, printable } from "../text.ts";
import { readCount, readSpan } from "../times.ts";

interface Rehydration {
  readonly id: string;
  readonly connection: string;
  readonly from: string;
  readonly to: string;
  readonly query: string;
  readonly until: string;
  readonly state: string;
  readonly objects: number;
  readonly objects_done: number;
  readonly events: number;
  readonly problem: string;
}

interface Options {
  readonly connection: string;
  readonly from: string;
  readonly to: string;
  readonly query?: string;
  readonly days: string;
  readonly json?: true;
}

const againMs = 1_000;

const help = `
Events that are no longer kept here, but are in a bucket (astralog storage), come back for some days, and can be searched as
fast as any. What is still here comes no second time, and what a deletion has removed does not come at all. Ask first what
it is: astralog rehydrations preview --connection sto_… --from 2026-01-01 --to 2026-01-07. See docs/your-own-bucket.md.`;

const text = (rows: readonly Rehydration[]): string =>
  table(
    ["ID", "STATE", "FROM", "TO", "QUERY", "EVENTS", "OBJECTS", "UNTIL"],
    rows.map((one) => [
      ...[one.id, one.state, one.from, one.to, one.query === "" ? "–" : printable(one.query), count(one.events)],
      ...[`${count(one.objects_done)} of ${count(one.objects)}`, one.until],
    ]),
    [5],
  );

/** `rehydrations list | preview | create | show | end`. */
export const addRehydrations = (program: Command, cli: Cli): void => {
  const { terminal, api, now, stop } = cli;
  const rehydrations = program
    .command("rehydrations")
    .summary("bring days back from your own bucket")
    .description("Brings ranges of days back from a bucket of the organization's own, for a while.")
    .addHelpText("after", help);
  const ranged = (command: Command): Command =>
    command
      .requiredOption("--connection <id>", "the bucket's, sto_…")
      .requiredOption("--from <day>", "first day of the events' own time, such as 2026-01-31, UTC")
      .requiredOption("--to <day>", "last day, 92 days at most in all")
      .option("--query <query>", "only what it finds")
      .option("--days <days>", "whole days that it is to be there, 30 at most", "7")
      .option("--json", "print JSON");
  const bodyOf = ({ json: _, days, ...rest }: Options) => ({ ...rest, days: readCount(days, "--days", 1, 30) });
  const print = (row: Rehydration, json: true | undefined): void => {
    terminal().out(json === true ? `${JSON.stringify(row)}\n` : text([row]));
    if (row.problem !== "") terminal().err(`${printable(row.problem)}\n`);
  };
  const path = (id: string): string => `rehydrations/${encodeURIComponent(id)}`;

  rehydrations
    .command("list", { isDefault: true })
    .description("Lists them, newest first.")
    .option("--limit <rows>", "most to print", "100")
    .option("--json", "print one JSON object a line")
    .action(async ({ limit, json }: { limit: string; json?: true }) => {
      const asked = withQuery("rehydrations", { limit: String(readCount(limit, "--limit", 1, 1_000)) });
      const { rehydrations: rows } = await api().call<{ rehydrations: Rehydration[] }>("GET", asked, "admin");
      if (json === true) for (const row of rows) terminal().out(`${JSON.stringify(row)}\n`);
      else if (rows.length === 0) terminal().err("nothing was brought back from a bucket yet\n");
      else terminal().out(text(rows));
    });
  ranged(rehydrations.command("preview").description("Says how much it is, and brings nothing back.")).action(
    async (options: Options) => {
      type Cost = { events: number; bytes: number; until: string };
      const cost = await api().call<Cost>("POST", "rehydrations/preview", "admin", bodyOf(options));
      terminal().out(
        options.json === true
          ? `${JSON.stringify(cost)}\n`
          : `${plural(cost.events, "event")} in the bucket, about ${bytes(cost.bytes)}; here until ${cost.until} if you create it now\n`,
      );
    },
  );
  ranged(rehydrations.command("create").description("Brings a range of days back."))
    .option("--wait <span>", "how long to wait until all is back", "0")
    .action(async ({ wait, ...options }: Options & { wait: string }) => {
      const deadline = now() + readSpan(wait, "--wait") * 1_000;
      let row = await api().call<Rehydration>("POST", "rehydrations", "admin", bodyOf(options));
      while (row.state !== "done" && now() < deadline && !stop().aborted) {
        await sleep(againMs, undefined, { signal: stop() }).catch(() => undefined);
        row = await api().call<Rehydration>("GET", path(row.id), "admin");
      }
      print(row, options.json);
    });
  rehydrations
    .command("show")
    .description("Shows how far one is.")
    .argument("<id>", "reh_…")
    .option("--json", "print JSON")
    .action(async (id: string, options: { json?: true }) =>
      print(await api().call("GET", path(id), "admin"), options.json),
    );
  rehydrations
    .command("end")
    .description("Ends one before its day: what it brought is removed here. The bucket keeps it.")
    .argument("<id>", "reh_…")
    .action(async (id: string) => {
      await api().call("DELETE", path(id), "admin");
      terminal().err(`${printable(id)} is ended; the bucket keeps its events\n`);
    });
};
