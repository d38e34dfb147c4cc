/** The search that shows what an incident is about. */
import { otherGroups } from "./measure.ts";

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

/** Of a rule for new patterns the group is a kind of message, which is no field. */
const noField = "pattern";

const filterOf = (name: string, value: string): string =>
  value === "" ? `(NOT ${quoted(name)}:* OR ${quoted(name)}:"")` : `${quoted(name)}:${quoted(value)}`;

/** The rule's query, narrowed to the group. What is counted together beyond a rule's groups is not narrowed. */
export const groupQuery = (query: string, group: Readonly<Record<string, string>>): string => {
  const narrowed = Object.entries(group)
    .filter(([name, value]) => name !== noField && value !== otherGroups)
    .map(([name, value]) => filterOf(name, value));
  const asked = query.trim();
  return [asked === "" || narrowed.length === 0 ? asked : `(${asked})`, ...narrowed]
    .filter((part) => part !== "")
    .join(" ");
};

/** What a window may show before and after, so that one sees it begin. */
const marginMs = 60_000;

/** The time to show around a window, in milliseconds; an event that matches is a window of no length. */
export const aroundWindow = ({ from, to }: { readonly from: number; readonly to: number }) => ({
  from: from - (from === to ? marginMs : 0),
  to: to + marginMs,
});
