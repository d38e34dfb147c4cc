/** Which of a tenant's rules a batch may concern: those whose needed texts stand in its bytes, and those that need none. */
import { neededTexts, parseQuery } from "@astralog/schemas/query/index";
import { createNeedles } from "./needles.ts";
import type { CountedRule } from "./tenants.ts";

export interface Chooser {
  readonly rules: readonly CountedRule[];
  /** Of them, in their order. `bytes`: the batch's, its events begin at `from`. */
  rulesFor(batch: { readonly bytes: Uint8Array; readonly from: number } | undefined): readonly CountedRule[];
}

/** Characters of all texts together: beyond them rules are simply asked, so that the automaton stays small. */
const mostCharacters = 30_000;

const textsOf = ({ active }: CountedRule): readonly string[] | undefined => {
  const { when } = active.definition;
  const first = neededTexts(parseQuery(when.query, { now: 0 }));
  if (when.type !== "ratio" || first === undefined) return first;
  const second = neededTexts(parseQuery(when.of, { now: 0 }));
  return second === undefined ? undefined : [...first, ...second];
};

export const createChooser = (rules: readonly CountedRule[]): Chooser => {
  const texts: string[] = [];
  const places = new Map<string, number>();
  let left = mostCharacters;
  const needed = rules.map((rule) => {
    const wanted = textsOf(rule);
    left -= wanted?.join("").length ?? 0;
    if (wanted === undefined || left < 0) return undefined;
    return wanted.map((text) => {
      const place = places.get(text) ?? texts.push(text) - 1;
      places.set(text, place);
      return place;
    });
  });
  if (texts.length === 0) return { rules, rulesFor: () => rules };
  const needles = createNeedles(texts);
  const found = new Uint8Array(texts.length);
  return {
    rules,
    rulesFor: (batch) => {
      if (batch === undefined) return rules;
      found.fill(0);
      needles.look(batch.bytes, batch.from, found);
      return rules.filter((_, i) => needed[i]?.some((place) => found[place] === 1) ?? true);
    },
  };
};

/** Those of a partition's tenants; one is the same for all partitions of a tenant that have the same rules. */
export const createChoosers = () => {
  const choosers = new Map<string, Chooser>();
  const chooserOf = (tenant: string, rules: readonly CountedRule[]): Chooser => {
    const known = choosers.get(tenant);
    if (known?.rules.length === rules.length && known.rules.every((one, i) => one === rules[i])) return known;
    const made = createChooser(rules);
    choosers.set(tenant, made);
    return made;
  };
  return {
    byTenant: (rules: readonly CountedRule[]): Map<string, Chooser> =>
      new Map(
        [...Map.groupBy(rules, ({ active }) => active.tenant)].map(([tenant, of]) => [tenant, chooserOf(tenant, of)]),
      ),
    forget: (): void => choosers.clear(),
  };
};
