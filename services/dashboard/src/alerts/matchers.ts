/** What a silence is for, as it is written: `service=checkout severity!=critical host=a|b`. */
import type { Matcher } from "@astralog/schemas/alerts/labels";

/** Parts with blanks between; a value with a blank stands in quotes. */
const part = /([A-Za-z_][\w.-]*)(!?=)("(?:[^"\\]|\\.)*"|\S*)/y;

/** undefined of what says nothing yet. */
export const readMatchers = (text: string): Matcher[] | undefined => {
  const matchers: Matcher[] = [];
  const rest = text.trim();
  part.lastIndex = 0;
  for (let at = 0; at < rest.length; ) {
    const found = part.exec(rest);
    if (found === null) return undefined;
    const [, label = "", sign, given = ""] = found;
    const quoted = given.startsWith('"');
    const values = quoted ? [given.slice(1, -1).replace(/\\(.)/g, "$1")] : given.split("|");
    const several = values.length > 1;
    matchers.push({ label, op: sign === "=" ? (several ? "in" : "=") : several ? "not in" : "!=", values });
    at = part.lastIndex;
    while (rest[at] === " ") at++;
    if (at < rest.length && at === part.lastIndex) return undefined;
    part.lastIndex = at;
  }
  return matchers.length === 0 ? undefined : matchers;
};
