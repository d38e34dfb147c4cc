/** Where the files of a takeout lie: the operator's store, or below the folder of a bucket that the organization connected. */
import { type Bucket, Fault, listAll } from "@astralog/chassis";
import { takeoutFolder } from "@astralog/schemas/takeout";
import type { Connections } from "../storage/connections.ts";
import type { TakeoutRow } from "./takeouts.ts";

export interface Place {
  put(name: string, body: Buffer): Promise<void>;
  get(name: string): Promise<Buffer | undefined>;
  getRange(name: string, first: number, last: number): Promise<Buffer | undefined>;
  /** Removes all of it. */
  clear(): Promise<void>;
}

const mostTries = 3;

export const createTakeoutStore = ({ own, connections }: { own: Bucket | undefined; connections: Connections }) => {
  const bucketOf = async ({ tenant, connection }: Pick<TakeoutRow, "tenant" | "connection">): Promise<Bucket> => {
    if (connection !== null) return connections.open(await connections.find(tenant, connection));
    if (own === undefined)
      throw new Fault(
        "takeout_unavailable",
        "The operator keeps no takeouts here; name a bucket of your own: connection, the id of a storage connection.",
      );
    return own;
  };
  return {
    /** Whether somebody without a bucket of his own can have one. */
    hasOwn: own !== undefined,
    open: async (row: TakeoutRow): Promise<Place> => {
      const bucket = await bucketOf(row);
      const folder = takeoutFolder({
        ...{ tenant: row.tenant, id: row.id, created: row.created_at.getTime(), expires: row.expires_at.getTime() },
      });
      return {
        put: async (name, body) => {
          for (let tries = 0; tries < mostTries; tries++) {
            if (await bucket.putNew(folder + name, body)) return;
            // Of somebody who was cut off before he could say what it is.
            await bucket.remove(folder + name);
          }
          throw new Fault("storage_failed", `${name} is being written by another.`, { retriable: true });
        },
        get: (name) => bucket.get(folder + name),
        getRange: (name, first, last) => bucket.getRange(folder + name, first, last),
        clear: async () => {
          for await (const { name } of listAll(bucket, folder)) await bucket.remove(name);
        },
      };
    },
  };
};

export type TakeoutStore = ReturnType<typeof createTakeoutStore>;
