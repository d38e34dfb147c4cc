/**
 * Envelope encryption for what Postgres must keep and nobody may read there. Each owner (a tenant, a person, "system")
 * has a data key, which is kept wrapped under a key of the configuration; both are AES-256-GCM. The owner and the column
 * are authenticated with every value, so a value that was moved to another row's owner or another column does not open.
 * Deleting an owner's data keys makes all that was sealed for it unreadable, in backups too.
 */
import { randomBytes } from "node:crypto";
import { decrypt, encrypt, Fault, keyName } from "@astralog/chassis";
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
  /** Wraps every data key under the first key of the configuration; the others are then needed no more. */
  rewrap(db: Db): Promise<number>;
}

const boundKey = (owner: string, id: string): string => JSON.stringify(["data_keys", owner, id]);
const boundValue = ({ owner, column }: Place, id: string): string => JSON.stringify([column, owner, id]);
const form = /^v1\.(dk_[0-9A-Za-z]{12})\.([A-Za-z0-9_-]{38,})$/;

/** `keys`: the one that wraps first, then those it may still have to unwrap with. */
export const createEnvelope = (keys: readonly [Buffer, ...Buffer[]]): Envelope => {
  const [current] = keys;
  const byName = new Map(keys.map((key) => [keyName(key), key]));

  const unreadable = (cause?: unknown): Fault =>
    new Fault("sealed_unreadable", "A sealed value does not open: it was changed or moved, or its key is gone.", {
      cause,
    });

  const unwrap = (row: { id: string; owner: string; wrapped: string; wrapped_by: string }): Buffer => {
    const key = byName.get(row.wrapped_by);
    if (key === undefined) throw unreadable(`no key ${row.wrapped_by} in SECRETS_KEY or SECRETS_KEYS_BEFORE`);
    return decrypt(key, row.wrapped, boundKey(row.owner, row.id));
  };

  const inUse = (db: Db | Trx, owner: string) =>
    db.selectFrom("data_keys").selectAll().where("owner", "=", owner).where("retired_at", "is", null);

  const dataKey = async (db: Db | Trx, owner: string): Promise<{ id: string; key: Buffer }> => {
    const known = await inUse(db, owner).executeTakeFirst();
    if (known !== undefined) return { id: known.id, key: unwrap(known) };
    const id = `dk_${randomBase62(12)}`;
    const wrapped = encrypt(current, randomBytes(32), boundKey(owner, id));
    // Of two that make the first one at a time, one wins and both use it.
    await db
      .insertInto("data_keys")
      .values({ id, owner, wrapped, wrapped_by: keyName(current), retired_at: null })
      .onConflict((conflict) => conflict.column("owner").where("retired_at", "is", null).doNothing())
      .execute();
    const made = await inUse(db, owner).executeTakeFirstOrThrow();
    return { id: made.id, key: unwrap(made) };
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
        return decrypt(unwrap(row), text, boundValue(place, id)).toString();
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
      const stale = await db.selectFrom("data_keys").selectAll().where("wrapped_by", "!=", keyName(current)).execute();
      for (const row of stale) {
        await db
          .updateTable("data_keys")
          .set({
            wrapped: encrypt(current, unwrap(row), boundKey(row.owner, row.id)),
            wrapped_by: keyName(current),
          })
          .where("id", "=", row.id)
          .where("wrapped_by", "=", row.wrapped_by)
          .execute();
      }
      return stale.length;
    },
  };
};
