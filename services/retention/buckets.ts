/**
 * Tenants' own buckets. What a deletion finds there goes as it does from the table; what is past its time goes where the
 * bucket was given days of its own. An object of which everything goes is removed, one that holds some of it is made anew
 * without that, and a look afterwards at what is there proves it. One bucket that is away keeps no other from its turn.
 */

import { type ArchivedObject, type Bucket, Fault, type Log, listArchive, type Storage } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import {
  archivedDeletionSql,
  type Deletion,
  dayNumber,
  daysOfSource,
  dayText,
  mostDays,
  sourceConditions,
  type TenantPolicy,
} from "@astralog/schemas/retention/index";
import { archiveDays, otherDay, type StorageConnection } from "@astralog/schemas/storage";
import { type Changes, createChanges } from "./bucket-changes.ts";
import { type BucketEvents, createBucketEvents, type Span, sentBytes } from "./bucket-events.ts";
import type { ClickHouse } from "./clickhouse.ts";
import { addTo, bucketRemoval, expiredRemoval, type Place, type Policies } from "./places.ts";
import type { Removals } from "./removals.ts";

/** Bytes of objects that are made into one at once. */
const bytesAtOnce = 64 * 2 ** 20;

export interface OpenBucket {
  readonly connection: StorageConnection;
  readonly bucket: Bucket;
  readonly events: BucketEvents;
  readonly changes: Changes;
  /** Of objects that are made into one. */
  readonly mostBytes: number;
  /** Objects never change, so what was once looked up holds. */
  readonly spans: Map<string, Span>;
}

/** Opens each once, for as long as it is the same. */
export const createOpenBuckets = (deps: {
  storage: Storage;
  clickhouse: ClickHouse;
  connections(): Iterable<StorageConnection>;
}) => {
  const open = new Map<string, { version: string; opened: OpenBucket }>();
  return (): OpenBucket[] => {
    const all = [...deps.connections()];
    const ids = new Set(all.map(({ id }) => id));
    for (const id of open.keys()) if (!ids.has(id)) open.delete(id);
    return all.map((connection) => {
      const version = `${connection.version} ${connection.sealed}`;
      const known = open.get(connection.id);
      if (known?.version === version) return known.opened;
      const keys = deps.storage.keysOf(connection);
      const { outgoing } = deps.storage;
      const bucket = deps.storage.open(connection);
      const opened: OpenBucket = {
        mostBytes: connection.client_encryption === true ? sentBytes : bytesAtOnce,
        ...{ connection, bucket, changes: createChanges(bucket), spans: known?.opened.spans ?? new Map() },
        events: createBucketEvents({ clickhouse: deps.clickhouse, bucket, connection, keys, outgoing }),
      };
      open.set(connection.id, { version, opened });
      return opened;
    });
  };
};

const namesAtOnce = 500;
const mostRounds = 3;

/** What of some objects goes. */
interface Going {
  readonly objects: readonly ArchivedObject[];
  readonly found: string;
  readonly params: Record<string, unknown>;
  /** By object; held counts what a hold keeps of it. */
  readonly counts: ReadonlyMap<string, { readonly events: number; readonly found: number; readonly held: number }>;
}

const foundOf = ({ counts }: Going): number => [...counts.values()].reduce((sum, { found }) => sum + found, 0);
const heldOf = ({ counts }: Going): number => [...counts.values()].reduce((sum, { held }) => sum + held, 0);

/** Objects of one day and source, a few at a time. */
export const piecesOf = (objects: readonly ArchivedObject[], bytes: number): ArchivedObject[][] => {
  const pieces: ArchivedObject[][] = [];
  for (const group of Map.groupBy(objects, ({ day, source }) => `${day}/${source}`).values()) {
    let size = Number.POSITIVE_INFINITY;
    for (const one of group) {
      if (size + one.bytes > bytes || (pieces.at(-1)?.length ?? 0) >= namesAtOnce) {
        pieces.push([]);
        size = 0;
      }
      pieces.at(-1)?.push(one);
      size += one.bytes;
    }
  }
  return pieces;
};

const removeThese = async ({ changes, events, mostBytes }: OpenBucket, going: Going, why: string): Promise<void> => {
  const mine = going.objects.filter(({ name }) => (going.counts.get(name)?.found ?? 0) > 0);
  const isWhole = ({ name }: ArchivedObject): boolean => {
    const counted = going.counts.get(name);
    return counted !== undefined && counted.found === counted.events;
  };
  const whole = mine.filter(isWhole).map(({ name }) => name);
  for (let at = 0; at < whole.length; at += namesAtOnce)
    await changes.make({ why, removed: whole.slice(at, at + namesAtOnce) });
  for (const piece of piecesOf(
    mine.filter((one) => !isWhole(one)),
    mostBytes,
  )) {
    const [first] = piece;
    if (first === undefined) continue;
    const names = piece.map(({ name }) => name);
    await changes.make({
      ...{ why, removed: names },
      put: {
        ...{ day: first.day, source: first.source },
        make: () => events.without(names, going.found, going.params),
      },
    });
  }
};

/** The days of a bucket instead of the sources' own; rules with a query and holds count there, too. The plan's days do not. */
export const policyOf = (policy: TenantPolicy, source: string, days: number): TenantPolicy => ({
  ...{ tenant: policy.tenant, planDays: mostDays },
  sources: new Map([
    [source, { days, name: "" }],
    ...[...policy.sources].map(([id, { name }]) => [id, { days, name }] as const),
  ]),
  rules: policy.rules.filter(({ kind, query }) => kind === "hold" || query !== ""),
});

/** The first day of receipt that an event under this day can have. */
const earliestReceipt = (day: string): number =>
  day === otherDay ? 0 : dayNumber(Date.parse(`${day}T00:00:00Z`)) - archiveDays.after;

/** The days that a deletion's events lie under; undefined: any. */
const daysOfDeletion = ({ from, to }: Deletion): ((day: string) => boolean) => {
  const dayOf = (nanos: string | null): string | undefined =>
    nanos === null ? undefined : new Date(Number(BigInt(nanos) / 1_000_000n)).toISOString().slice(0, 10);
  const [first, last] = [dayOf(from), dayOf(to)];
  return (day) => day === otherDay || ((first === undefined || day >= first) && (last === undefined || day <= last));
};

export const createBucketsPlace = (deps: { buckets(): OpenBucket[]; removals: Removals; log: Log }): Place => {
  const { buckets, removals, log } = deps;

  const list = (one: OpenBucket): Promise<ArchivedObject[]> => listArchive(one.bucket, { sources: "all" });

  const lookExpired = async (one: OpenBucket, policy: TenantPolicy, days: number, today: number): Promise<Going[]> => {
    const all = await list(one);
    const going: Going[] = [];
    for (const [source, mine] of Map.groupBy(all, (object) => object.source)) {
      const there = policyOf(policy, source, days);
      const { least = days, most = days, held = "none" } = daysOfSource(there, source) ?? {};
      const may = mine.filter(({ day }) => earliestReceipt(day) + least < today);
      const unknown = may.filter(({ name }) => !one.spans.has(name)).map(({ name }) => name);
      for (const [name, span] of await one.events.spans(unknown)) one.spans.set(name, span);
      const due = may.filter(({ name }) => (one.spans.get(name)?.first ?? today) + least < today);
      if (due.length === 0) continue;
      const whole = due.filter(({ name }) => held === "none" && (one.spans.get(name)?.last ?? today) + most < today);
      const { params, bind } = createBinder("d");
      const conditions = sourceConditions(there, source, bind, Date.now());
      const rest = due.filter((object) => !whole.includes(object)).map(({ name }) => name);
      const counts = new Map(await one.events.count(rest, conditions.due(today), conditions.held, params));
      for (const { name } of whole) {
        const { events = 0 } = one.spans.get(name) ?? {};
        counts.set(name, { events, found: events, held: 0 });
      }
      const found = `(${conditions.due(today)}) AND NOT (${conditions.held})`;
      going.push({ objects: due, counts, params, found });
    }
    return going;
  };

  const sweepOne = async (one: OpenBucket, policy: TenantPolicy, days: number, today: number) => {
    let removed = 0;
    for (let round = 1; ; round++) {
      const going = await lookExpired(one, policy, days, today);
      const overdue = going.reduce((sum, part) => sum + foundOf(part), 0);
      const held = going.reduce((sum, part) => sum + heldOf(part), 0);
      if (overdue === 0 || round === mostRounds) return { removed, overdue, held };
      for (const part of going) await removeThese(one, part, expiredRemoval(dayText(today)));
      removed += overdue;
    }
  };

  const lookDeletion = async (one: OpenBucket, deletion: Deletion): Promise<Going> => {
    const within = daysOfDeletion(deletion);
    const { sources } = deletion;
    const objects = (await list(one)).filter(
      ({ day, source }) => within(day) && (sources.length === 0 || sources.includes(source)),
    );
    const { params, bind } = createBinder("x");
    const found = archivedDeletionSql(deletion, bind);
    const names = objects.map(({ name }) => name);
    return { objects, found, params, counts: await one.events.count(names, found, "0", params) };
  };

  const mine = ({ tenant }: Deletion): OpenBucket[] =>
    buckets().filter(({ connection }) => connection.tenant === tenant);
  const wordsOf = ({ connection: { name, id } }: OpenBucket): string => `${name} (${id})`;
  /** What a bucket's server does not let us do is told, and tried again; anything else is a fault of ours. */
  const told = (error: unknown): string => {
    if (error instanceof Fault && /^(?:storage_|address_refused|changed_meanwhile|sealed_)/.test(error.code))
      return error.message;
    throw error;
  };

  return {
    name: "buckets",
    sweep: async (policies: Policies, now) => {
      const today = dayNumber(now);
      const removed = new Map<string, number>();
      const details: string[] = [];
      const sum = { looked: 0, overdue: 0, held: 0 };
      for (const one of buckets()) {
        const { tenant, retention_days: days = null } = one.connection;
        try {
          await one.changes.settle();
          const policy = policies.of(tenant);
          if (days === null || policy === undefined) continue;
          sum.looked += 1;
          const swept = await sweepOne(one, policy, days, today);
          addTo(removed, tenant, swept.removed);
          sum.overdue += swept.overdue;
          sum.held += swept.held;
        } catch (error) {
          const problem = told(error);
          log.warn(
            { connection: one.connection.id, problem },
            "a bucket could not be looked through; it is tried again",
          );
          details.push(`${one.connection.id} could not be looked through`);
        }
      }
      return { ...sum, removed, detail: details.join("; ") || `${sum.looked} buckets with days of their own` };
    },
    remove: async (deletion) => {
      for (const one of mine(deletion)) {
        try {
          await one.changes.settle();
          const going = await lookDeletion(one, deletion);
          await one.events.each([...going.counts.keys()], ({ sql, params, sent }) =>
            removals.write(bucketRemoval(deletion.id), {
              ...{ table: sql, index: "idx", time: "received_at", where: going.found, sent },
              params: { ...going.params, ...params },
            }),
          );
          await removeThese(one, going, deletion.id);
        } catch (error) {
          // The look that follows tells it to whoever waits for the deletion.
          log.warn({ connection: one.connection.id, problem: told(error) }, "nothing could be removed from a bucket");
        }
      }
    },
    rescan: async (deletion) => {
      let found = 0;
      const details: string[] = [];
      let unknown = false;
      for (const one of mine(deletion)) {
        try {
          const going = await lookDeletion(one, deletion);
          found += foundOf(going);
          details.push(`${wordsOf(one)}: ${going.objects.length} objects looked through`);
        } catch (error) {
          unknown = true;
          details.push(`${wordsOf(one)}: ${told(error)}`);
        }
      }
      const removed = await removals.count(deletion.tenant, bucketRemoval(deletion.id));
      const detail = details.join("; ") || "no bucket is connected";
      return { found, removed, detail, unknown };
    },
  };
};
