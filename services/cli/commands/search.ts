import { opaqueEnd } from "@astralog/schemas/query/regex-token";
import type { Command } from "commander";
import { type SearchAnswer, withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { eventLine } from "../event-line.ts";
import { Failure } from "../failure.ts";
import { followTail } from "../follow-tail.ts";
import { bytes, plural, printable } from "../text.ts";
import { readCount, readTime } from "../times.ts";
import { searchTable } from "./search-table.ts";

interface Options {
  from?: string;
  to?: string;
  limit: string;
  reverse?: true;
  follow?: true;
  json?: true;
  place?: string;
}

const pageSize = 1000;

const help = `
A query is words, "exact phrases", field:value and /regular expressions/, joined by AND, OR and NOT. An empty query ("")
finds everything. Behind a | it makes a table of what was found: stats, top, sort, fields, dedup, patterns, limit, where.

Examples:
  astralog search timeout
  astralog search 'level:error service:checkout "card declined"' --from 1h
  astralog search 'status:>=500 NOT path:/health' --from 2026-01-31 --to 2026-02-01 --json | jq .message
  astralog search 'level:error | stats count(), p95(duration_ms) by service' --from 1h
  astralog search 'user.id:4711' --place archive --from 2026-01-01 --to 2026-02-01`;

/** `search <query>`. */
export const addSearch = (program: Command, cli: Cli): void => {
  const { terminal, api, now } = cli;
  program
    .command("search")
    .summary("find events")
    .description("Finds events, newest first.")
    .argument("<query>", "what to find; quote it for the shell")
    .option("--from <time>", "not before: 2026-01-31T10:00:00Z, epoch milliseconds, or 15m for 15 minutes ago")
    .option("--to <time>", "before this time")
    .option("--limit <events>", "most events to print", "100")
    .option("--reverse", "print oldest first, of the newest that were found")
    .option("-f, --follow", "then print events as they come, until it is stopped; the found ones come oldest first")
    .option("--place <bucket>", "search a bucket or a ClickHouse of your own, by its connection's name or id")
    .option("--json", "print one JSON object a line, with every field")
    .addHelpText("after", help)
    .action(async (q: string, options: Options) => {
      const limit = readCount(options.limit, "--limit", 1, 1_000_000);
      const from = options.from === undefined ? undefined : readTime(options.from, "--from", now());
      const to = options.to === undefined ? undefined : readTime(options.to, "--to", now());
      if (options.place !== undefined && options.follow === true)
        throw new Failure("--follow is for events as they come, and a bucket gets them later.", "Leave --place out.");
      const place = options.place === undefined ? undefined : await placeNamed(cli, options.place);
      if (hasPipes(q)) {
        if (options.follow === true)
          throw new Failure("--follow is for events, and this query makes a table.", "Leave the pipes out.");
        if (options.reverse === true) {
          throw new Failure("--reverse is for events, and this query makes a table.", "Write | sort … desc instead.");
        }
        return searchTable(cli, { q, from, to, place, limit, json: options.json === true });
      }
      const { out, err, outColors, errColors } = terminal();
      const lines: string[] = [];
      let found = 0;
      let cursor: string | undefined;
      let more = false;
      const stats = { rows: 0, bytes: 0, ms: 0 };
      do {
        const size = String(Math.min(pageSize, limit - found));
        const answer = await api().call<SearchAnswer>(
          "GET",
          withQuery("search", { q, from, to, limit: size, cursor, place }),
          "query",
        );
        found += answer.events.length;
        for (const event of answer.events) {
          const line = `${options.json === true ? JSON.stringify(event) : eventLine(event, outColors)}\n`;
          if (options.reverse === true || options.follow === true) lines.push(line);
          else out(line);
        }
        stats.rows += answer.stats?.rows ?? 0;
        stats.bytes += answer.stats?.bytes ?? 0;
        stats.ms += answer.stats?.ms ?? 0;
        cursor = answer.next ?? undefined;
        more = cursor !== undefined;
      } while (more && found < limit);
      if (lines.length > 0) out(lines.toReversed().join(""));

      const searched = `${q.trim() === "" ? "everything" : q} ${rangeWords(from, to)}`;
      const cost = `${plural(stats.rows, "row")}, ${bytes(stats.bytes)} read in ${Math.round(stats.ms)} ms`;
      if (found === 0) err(`nothing found for ${searched} (${cost})\n`);
      else if (more) err(errColors.dim(`${plural(found, "event")} and there are more: raise --limit (${cost})\n`));
      else if (terminal().interactive) err(errColors.dim(`${plural(found, "event")} (${cost})\n`));
      if (options.follow === true) await followTail(cli, q, { json: options.json === true });
    });
};

/** Id of the connection that is meant. */
export const placeNamed = async ({ api }: Cli, given: string): Promise<string> => {
  const { places } = await api().call<{ places: { id: string; name: string }[] }>("GET", "search/places", "query");
  const found = places.find(({ id, name }) => id === given || name === given);
  if (found !== undefined) return found.id;
  const names = places.map(({ name }) => printable(name)).join(", ");
  throw new Failure(
    `There is no place ${printable(given)}.`,
    names === "" ? "Connect one: astralog storage connect --help" : `There is: ${names}`,
  );
};

/** Outside quotes, escapes and regular expressions. */
const hasPipes = (q: string): boolean => {
  for (let i = 0; i < q.length; i++) {
    const end = opaqueEnd(q, i);
    if (end !== undefined) i = end - 1;
    else if (q[i] === "|") return true;
  }
  return false;
};

const rangeWords = (from: string | undefined, to: string | undefined): string =>
  from === undefined && to === undefined
    ? "at any time"
    : [from === undefined ? "" : `from ${from}`, to === undefined ? "up to now" : `to ${to}`]
        .filter((w) => w !== "")
        .join(" ");
