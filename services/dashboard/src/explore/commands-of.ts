/** The question on the screen as a command that asks it elsewhere. No key is in it: that stays in the environment. */
import { queryOf } from "../api/client.ts";
import { splitPipes } from "./language.ts";
import type { Range } from "./time-range.ts";

/** One word for a POSIX shell, whatever it holds. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** With a format: everything as a file. Without: the newest, or the table that pipes make, as the page has them. */
export const asCurl = (
  origin: string,
  q: string,
  range: Range,
  { place, format }: { place?: string; format?: string } = {},
): string => {
  const shown = splitPipes(q)[1] === "" ? "search" : "query";
  const path = format === undefined ? shown : "export";
  const url = `${origin}/api/v1/${path}${queryOf({ q, place, from: range.from, to: range.to, format })}`;
  const out = format === undefined ? "" : ` -f -o events.${format}`;
  return `curl${out} -H "Authorization: Bearer $ASTRALOG_QUERY_KEY" ${shellWord(url)}`;
};

/** One event, by its id. */
export const eventAsCurl = (origin: string, id: string): string =>
  `curl -H "Authorization: Bearer $ASTRALOG_QUERY_KEY" ${shellWord(`${origin}/api/v1/events/${encodeURIComponent(id)}`)}`;

export const asCli = (q: string, { from, to }: Range, place = ""): string =>
  [
    "astralog search",
    shellWord(q),
    ...(from === "" ? [] : ["--from", shellWord(from)]),
    ...(to === "" ? [] : ["--to", shellWord(to)]),
    ...(place === "" ? [] : ["--place", shellWord(place)]),
  ].join(" ");
