/** A range of numbers as a filter in the query, and the bars over its handles. */
import { fieldOf, splitPipes, termsOf, withFilter } from "./language.ts";

/** Four digits tell the place on the bars; more are noise. Rounded outwards, so that the ends' own values stay in. */
const rounded = (value: number, outwards: -1 | 1): string => {
  const scale = 10 ** (3 - Math.floor(Math.log10(Math.abs(value))));
  const near = [0, outwards].map((by) => Number(((Math.round(value * scale) + by) / scale).toPrecision(12)));
  const isOut = (one: number): boolean => Number.isFinite(one) && (outwards < 0 ? one <= value : one >= value);
  const whole = outwards < 0 ? Math.floor(value) : Math.ceil(value);
  return `${Number.isInteger(value) ? value : (near.find(isOut) ?? whole)}`;
};

/** `latency_ms:[12 TO 90]`, both ends included. */
export const rangeFilter = (field: string, from = 0, to = 0): string =>
  `${fieldOf(field)}:[${rounded(from, -1)} TO ${rounded(to, 1)}]`;

/** The range of this field that the query has, as it stands in it. */
export const rangeOfField = (q: string, field: string): string | undefined =>
  termsOf(splitPipes(q)[0]).find((term) => term.startsWith(`${fieldOf(field)}:[`));

/** The query with this range of the field in place of the one it had, or with none. */
export const withRange = (q: string, field: string, filter: string | undefined): string => {
  const had = rangeOfField(q, field);
  const rest = had === undefined ? q : withFilter(q, had, false);
  return filter === undefined ? rest : withFilter(rest, filter, false);
};

/** Between which edges a range lies that the query has; all of them without one. */
export const placesOf = (range: string | undefined, edges: readonly number[]): readonly [number, number] => {
  const last = edges.length - 1;
  const [, from = "", to = ""] = /:\[(\S+) TO (\S+)\]$/.exec(range ?? "") ?? [];
  const low = edges.findLastIndex((edge) => edge <= Number(from));
  const high = edges.findIndex((edge) => edge >= Number(to));
  return from === "" ? [0, last] : [Math.max(0, low), high < 0 ? last : high];
};

/** Bars by the root of their counts, so that the rare is seen beside the frequent. */
export const heightsOf = (bins: readonly { readonly count: number }[], most: number): number[] => {
  const roots = bins.map(({ count }) => Math.sqrt(count));
  const top = Math.max(1, ...roots);
  return roots.map((root) => (root / top) * most);
};
