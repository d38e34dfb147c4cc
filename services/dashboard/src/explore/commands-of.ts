/** The question on the screen as a command that asks it elsewhere. No key is in it: that stays in the environment. */
import { queryOf } from "../api/client.ts";
import type { Range } from "./time-range.ts";

/** One word for a POSIX shell, whatever it holds. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** With a format: everything as a file. Without: the newest, as the page has them. */
export const asCurl = (origin: string, q: string, range: Range, format?: string): string => {
  const path = format === undefined ? "search" : "export";
  const url = `${origin}/api/v1/${path}${queryOf({ q, from: range.from, to: range.to, format })}`;
  const out = format === undefined ? "" : ` -f -o events.${format}`;
  return `curl${out} -H "Authorization: Bearer $ASTRALOG_QUERY_KEY" ${shellWord(url)}`;
};

export const asCli = (q: string, { from, to }: Range): string =>
  [
    "astralog search",
    shellWord(q),
    ...(from === "" ? [] : ["--from", shellWord(from)]),
    ...(to === "" ? [] : ["--to", shellWord(to)]),
  ].join(" ");
