/**
 * Envelope encryption for what Postgres must keep and nobody may read there. Each owner (a tenant, a person, "system")
 * has a data key, which is kept wrapped by a key provider; values are AES-256-GCM. The owner and the column
 * are authenticated with every value, so a value that was moved to another row's owner or another column does not open.
 * Deleting an owner's data keys makes all that was sealed for it unreadable, in backups too.
 */
import { randomBytes } from "node:crypto";
import { decrypt, encrypt, Fault, type KeyProvider } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { Db, Trx } from "../postgres.ts";

/** Whose a value is and where it is kept, as in `{ owner: "usr_…", column: "totp_factors.secret" }`. */
export interface Place {
  readonly owner: string;
  readonly column: string;
}

export interface Envelope {
  seal(db: Db | Trx, place: Place, plain: string): Promise<string>;
  /** Faults: `sealed_unreadable` when the value was changed, moved, or sealed under a key that is gone. */
  open(db: Db | Trx, place: Place, sealed: string): Promise<string>;
  /** From here on values are sealed under a new data key; older ones still open. */
  renew(db: Db | Trx, owner: string): Promise<void>;
  /** All that was ever sealed for the owner is lost. */
  shred(db: Db | Trx, owner: string): Promise<void>;
  /** Wraps every data key under the provider's present key; its others are then needed no more. Returns how many. */
  rewrap(db: Db): Promise<number>;
}

const boundKey = (owner: string, id: string): string => JSON.stringify(["data_keys", owner, id]);
const boundValue = ({ owner, column }: Place, id: string): string => JSON.stringify([column, owner, id]);
const form = /^v1\.(dk_[0-9A-Za-z]{12})\.([A-Za-z0-9_-]{38,})$/;

export const createEnvelope = (keys: KeyProvider): Envelope => {
  const unreadable = (cause?: unknown): Fault =>
    new Fault("sealed_unreadable", "A sealed value does not open: it was changed or moved, or its key is gone.", {
      cause,
    });

  const unwrap = async (row: { id: string; owner: string; wrapped: string; wrapped_by: string }): Promise<Buffer> => {
    try {
      return await keys.unwrap(row.wrapped_by, row.wrapped, boundKey(row.owner, row.id));
    } catch (error) {
      // A key service that does not answer is another matter than a key that is gone.
      throw error instanceof Fault && error.retriable ? error : unreadable(error);
    }
  };

  const inUse = (db: Db | Trx, owner: string) =>
    db.selectFrom("data_keys").selectAll().where("owner", "=", owner).where("retired_at", "is", null);

  const dataKey = async (db: Db | Trx, owner: string): Promise<{ id: string; key: Buffer }> => {
    const known = await inUse(db, owner).executeTakeFirst();
    if (known !== undefined) return { id: known.id, key: await unwrap(known) };
    const id = `dk_${randomBase62(12)}`;
    const wrapped = await keys.wrap(randomBytes(32), boundKey(owner, id));
    // Of two that make the first one at a time, one wins and both use it.
    await db
      .insertInto("data_keys")
      .values({ id, owner, wrapped, wrapped_by: keys.current, retired_at: null })
      .onConflict((conflict) => conflict.column("owner").where("retired_at", "is", null).doNothing())
      .execute();
    const made = await inUse(db, owner).executeTakeFirstOrThrow();
    return { id: made.id, key: await unwrap(made) };
  };

  return {
    seal: async (db, place, plain) => {
      const { id, key } = await dataKey(db, place.owner);
      return `v1.${id}.${encrypt(key, Buffer.from(plain), boundValue(place, id))}`;
    },
    open: async (db, place, sealed) => {
      const [, id = "", text = ""] = form.exec(sealed) ?? [];
      const row = await db
        .selectFrom("data_keys")
        .selectAll()
        .where("id", "=", id)
        .where("owner", "=", place.owner)
        .executeTakeFirst();
      if (row === undefined) throw unreadable();
      try {
        return decrypt(await unwrap(row), text, boundValue(place, id)).toString();
      } catch (error) {
        throw error instanceof Fault ? error : unreadable(error);
      }
    },
    renew: async (db, owner) => {
      const retired = { retired_at: new Date() };
      await db
        .updateTable("data_keys")
        .set(retired)
        .where("owner", "=", owner)
        .where("retired_at", "is", null)
        .execute();
    },
    shred: async (db, owner) => void (await db.deleteFrom("data_keys").where("owner", "=", owner).execute()),
    rewrap: async (db) => {
      const stale = await db.selectFrom("data_keys").selectAll().where("wrapped_by", "!=", keys.current).execute();
      for (const row of stale) {
        await db
          .updateTable("data_keys")
          .set({
            wrapped: await keys.wrap(await unwrap(row), boundKey(row.owner, row.id)),
            wrapped_by: keys.current,
          })
          .where("id", "=", row.id)
          .where("wrapped_by", "=", row.wrapped_by)
          .execute();
      }
      return stale.length;
    },
  };
};
