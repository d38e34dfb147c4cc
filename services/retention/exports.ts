/**
 * What organizations took out as files, in the operator's store and in their own buckets. Each lies under a name that says whose
 * it is and until when, so it is found and removed whatever became of the one who wrote it. A takeout cannot be taken apart: what
 * a deletion is about may be in any of the organization's, so all go that were begun before its cut. Exports of a query are streams,
 * of which nothing is kept.
 */
import { type Bucket, Fault, type Log, listAll } from "@astralog/chassis";
import { type TakeoutPlace, takeoutPlaceOf, takeoutsFolder } from "@astralog/schemas/takeout";
import type { OpenBucket } from "./buckets.ts";
import { addTo, type Place } from "./places.ts";

interface Store {
  /** For the detail. */
  readonly name: string;
  /** Whose bucket it is; undefined for the operator's store. */
  readonly tenant: string | undefined;
  readonly bucket: Bucket;
}

interface Found {
  readonly store: Store;
  readonly name: string;
  readonly place: TakeoutPlace;
}

const streams =
  "exports of a query are streams: what was downloaded is with whoever did, see events.exported in the audit trail";

export const createExportsPlace = (deps: { own: Bucket | undefined; buckets(): OpenBucket[]; log: Log }): Place => {
  const { own, log } = deps;
  const gone = new Map<string, number>();

  const stores = (tenant?: string): Store[] => [
    ...(own === undefined ? [] : [{ name: "the operator's store", tenant: undefined, bucket: own }]),
    ...deps
      .buckets()
      .filter(({ connection }) => tenant === undefined || connection.tenant === tenant)
      .map(({ connection, bucket }) => ({ name: `bucket ${connection.id}`, tenant: connection.tenant, bucket })),
  ];

  /** Files of takeouts, and the names of stores that could not be looked through. */
  const look = async (wanted: (place: TakeoutPlace) => boolean, tenant?: string) => {
    const found: Found[] = [];
    const away: string[] = [];
    let looked = 0;
    for (const store of stores(tenant)) {
      const prefix = tenant === undefined ? takeoutsFolder : `${takeoutsFolder}${tenant}/`;
      try {
        for await (const { name } of listAll(store.bucket, prefix)) {
          const place = takeoutPlaceOf(name);
          // In a bucket of theirs others' names are not ours to judge by.
          if (place === undefined || (store.tenant !== undefined && place.tenant !== store.tenant)) continue;
          looked += 1;
          if (wanted(place)) found.push({ store, name, place });
        }
      } catch (err) {
        if (!(err instanceof Fault)) throw err;
        // The operator's own is no customer's that may be away for long.
        if (store.tenant === undefined) throw err;
        away.push(store.name);
        log.warn({ err, store: store.name }, "takeouts in a bucket could not be looked for");
      }
    }
    return { found, away, looked };
  };

  const removeAll = async (found: readonly Found[]): Promise<void> => {
    for (const { store, name } of found)
      try {
        await store.bucket.remove(name);
      } catch (err) {
        if (!(err instanceof Fault) || store.tenant === undefined) throw err;
        // The look that follows says what is left.
        log.warn({ err, store: store.name }, "a file of a takeout could not be removed");
      }
  };

  const text = (away: readonly string[]): string =>
    away.length === 0 ? streams : `not looked through, as it does not answer: ${away.join(", ")}; ${streams}`;

  return {
    name: "exports",
    sweep: async (_, now) => {
      const over = ({ expires }: TakeoutPlace): boolean => expires <= now;
      const before = await look(over);
      await removeAll(before.found);
      const removed = new Map<string, number>();
      for (const { place } of before.found) addTo(removed, place.tenant, 1);
      const overdue = before.found.length === 0 ? 0 : (await look(over)).found.length;
      return { looked: before.looked, removed, overdue, held: 0, detail: text(before.away) };
    },
    remove: async ({ id, tenant, cut }) => {
      const { found } = await look(({ created }) => created <= cut, tenant);
      await removeAll(found);
      gone.set(id, (gone.get(id) ?? 0) + found.length);
    },
    rescan: async ({ id, tenant, cut }) => {
      const { found, away } = await look(({ created }) => created <= cut, tenant);
      return { found: found.length, removed: gone.get(id) ?? 0, detail: text(away), unknown: away.length > 0 };
    },
  };
};
