/**
 * How the audit trail's events are chained, and how a chain is checked. The api writes with this code and `astralog audit
 * verify` reads with it, offline.
 *
 * hash = SHA-256, in lower-case hex, of the UTF-8 of the event's JSON without its member `hash`, in the canonical form of
 * RFC 8785 (members sorted, no spaces). `prev` is the hash of the event before, 64 zeros in the first. So an event is
 * bound to its tenant, its place and everything before it; docs/audit.md tells others how to check it without this code.
 */
import { hash as digest } from "node:crypto";
import { type AuditEvent, canonicalJson, chainStart, type Json } from "./audit.ts";

/** The hash an event must have; its own is not looked at. */
export const auditHash = (event: Omit<AuditEvent, "hash">): string => {
  const { hash: _, ...rest } = event as AuditEvent;
  return digest("sha256", canonicalJson(rest as unknown as Json), "hex");
};

/** The first place where a chain is not what was written, and what is wrong there. */
export interface ChainBreak {
  readonly seq: number;
  readonly problem: string;
}

/** What a chain must reach: a head that was kept elsewhere. */
export interface ChainPoint {
  readonly tenant: string;
  readonly seq: number;
  readonly hash: string;
}

export interface ChainCheck {
  /** Takes the next event; the first break ends the check. */
  take(event: AuditEvent): ChainBreak | undefined;
  /** Says whether what came reaches every point, and whether it ends exactly in `end`. */
  finish(end?: ChainPoint): ChainBreak | undefined;
  readonly count: number;
  readonly first: AuditEvent | undefined;
  readonly last: AuditEvent | undefined;
}

const missing = (from: number, to: number): string =>
  from === to ? `seq ${from} is missing` : `seq ${from} to ${to} are missing`;

/** Checks a chain in one pass, from its first event on. `points` and `hashes` must all lie in it. */
export const createChainCheck = (
  tenant: string,
  points: readonly ChainPoint[] = [],
  hashes: readonly string[] = [],
): ChainCheck => {
  let count = 0;
  let first: AuditEvent | undefined;
  let last: AuditEvent | undefined;
  const wanted = new Set(hashes);
  const due = Map.groupBy(points, ({ seq }) => seq);

  const problemOf = (event: AuditEvent): string | undefined => {
    const next = count + 1;
    if (event.tenant !== tenant) return `it belongs to the chain of ${JSON.stringify(event.tenant)}, not to this one`;
    if (event.seq > next) return `${missing(next, event.seq - 1)}; seq ${event.seq} stands there (deleted or moved)`;
    if (event.seq < next) return `seq ${event.seq} stands there once more (inserted or moved)`;
    if (event.hash !== auditHash(event)) return "its contents are not what its hash was made of (changed)";
    if (event.prev !== (last?.hash ?? chainStart)) return "it does not follow from the event before it (spliced)";
    if (due.get(event.seq)?.some(({ hash }) => hash !== event.hash))
      return "it is not the event that the signed head names (rewritten)";
    return undefined;
  };

  const finish = (end?: ChainPoint): ChainBreak | undefined => {
    const all = end === undefined ? points : [...points, end];
    const stranger = all.find((point) => point.tenant !== tenant);
    if (stranger !== undefined)
      return { seq: stranger.seq, problem: `the head is of ${JSON.stringify(stranger.tenant)}` };
    const farthest = all.reduce((most, { seq }) => Math.max(most, seq), 0);
    if (farthest > count) return { seq: count + 1, problem: `${missing(count + 1, farthest)} at the end (truncated)` };
    if (end !== undefined && end.seq < count)
      return { seq: end.seq + 1, problem: "it stands behind the signed head (inserted)" };
    if (end !== undefined && end.hash !== (last?.hash ?? chainStart))
      return { seq: end.seq, problem: "it is not the event that the signed head names (rewritten)" };
    const [absent] = wanted;
    if (absent !== undefined)
      return { seq: count + 1, problem: `no event has the hash ${absent} (truncated or rewritten)` };
    return undefined;
  };

  return {
    take: (event) => {
      const problem = problemOf(event);
      if (problem !== undefined) return { seq: count + 1, problem };
      count++;
      first ??= event;
      last = event;
      wanted.delete(event.hash);
      return undefined;
    },
    finish,
    get count() {
      return count;
    },
    get first() {
      return first;
    },
    get last() {
      return last;
    },
  };
};
