/**
 * What verify says of a tenant whose events are kept on a server of its own: that server's tables are looked through as ours are,
 * and what our ledger has and that one not yet is on its way there.
 */
import { elsewhere } from "@astralog/chassis";
import type { LedgerQueries, Window, WrongRecord } from "./ledger-queries.ts";
import { addCounts, type MinuteSum, type PartitionState } from "./verify.ts";

/** A server of the tenant's own. */
export interface Theirs {
  readonly id: string;
  readonly name: string;
  readonly ledger: LedgerQueries;
}

export interface Elsewhere {
  readonly connection: string;
  readonly name: string;
  /** Of the minutes in which something is kept there alone. */
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: Record<string, number>;
  /** Events that Astralog's ledger knows and that one not yet. */
  readonly waiting: number;
  /** Records whose rows there do not agree with the ledger there. */
  readonly wrong: number;
}

const keyOf = ({ source, minute }: MinuteSum): string => `${source} ${minute}`;

/** Pure: `ours` and `theirs` by source and minute. */
export const compareMinutes = (
  ours: readonly MinuteSum[],
  theirs: readonly MinuteSum[],
): Pick<Elsewhere, "accepted" | "stored" | "dropped" | "waiting"> => {
  const known = new Map(theirs.map((row) => [keyOf(row), row]));
  const sum = { accepted: 0, stored: 0, waiting: 0 };
  const dropped: Record<string, number> = {};
  for (const row of ours) {
    if ((row.dropped[elsewhere] ?? 0) === 0) continue;
    const there = known.get(keyOf(row));
    sum.accepted += there?.accepted ?? 0;
    sum.stored += there?.stored ?? 0;
    sum.waiting += Math.max(0, row.accepted - (there?.accepted ?? 0));
    addCounts(dropped, there?.dropped ?? {});
  }
  return { ...sum, dropped };
};

/** Null where nothing is kept elsewhere. Faults: those of the server. */
export const verifyElsewhere = async (
  theirs: Theirs | undefined,
  tenant: string,
  asked: {
    readonly topics: readonly string[];
    readonly window: Window | undefined;
    readonly minutes: readonly MinuteSum[];
    readonly chunks: readonly Window[];
    readonly states: readonly PartitionState[];
    readonly most: number;
  },
): Promise<Elsewhere | null> => {
  if (theirs === undefined || !asked.minutes.some(({ dropped }) => (dropped[elsewhere] ?? 0) > 0)) return null;
  const sums = compareMinutes(asked.minutes, await theirs.ledger.minutes(tenant, asked.topics, asked.window));
  const wrong: WrongRecord[] = [];
  for (const chunk of asked.chunks) {
    if (wrong.length >= asked.most) break;
    wrong.push(...(await theirs.ledger.wrong(tenant, chunk, asked.states, asked.most)));
  }
  return { connection: theirs.id, name: theirs.name, ...sums, wrong: wrong.length };
};
