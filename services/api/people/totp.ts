/**
 * Codes from an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds). The step before and the step after are
 * taken too, for clocks differ. No code is taken twice: the last step is written in the statement that checks it.
 */
import { Fault } from "@astralog/chassis";
import { Secret, TOTP } from "otpauth";
import type { Db, Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";

const issuer = "Astralog";
const period = 30;
const column = "totp_factors.secret";

const totpOf = (secret: Secret, label: string): TOTP =>
  new TOTP({ issuer, label, algorithm: "SHA1", digits: 6, period, secret });

export interface Totp {
  /** A new secret, that counts once a code has shown that the app has it. Faults: `factor_exists`. */
  begin(trx: Trx, person: string, label: string): Promise<{ secret: string; uri: string }>;
  /** Whether the code was right, for the first time, and now used up. `confirm` takes the new secret into use. */
  use(trx: Trx, person: string, code: string, options?: { confirm?: boolean }): Promise<boolean>;
  remove(trx: Trx, person: string): Promise<boolean>;
  confirmedAt(db: Db | Trx, person: string): Promise<Date | null>;
}

export const createTotp = (envelope: Envelope): Totp => ({
  begin: async (trx, person, label) => {
    const secret = new Secret({ size: 20 });
    const sealed = await envelope.seal(trx, { owner: person, column }, secret.base32);
    const made = await trx
      .insertInto("totp_factors")
      .values({ person, secret: sealed, confirmed_at: null })
      .onConflict((conflict) =>
        conflict
          .column("person")
          .doUpdateSet({ secret: sealed, last_step: 0 })
          .where("totp_factors.confirmed_at", "is", null),
      )
      .returning("person")
      .executeTakeFirst();
    if (made === undefined) throw new Fault("factor_exists", "There is an authenticator app already; remove it first.");
    return { secret: secret.base32, uri: totpOf(secret, label).toString() };
  },
  use: async (trx, person, code, { confirm = false } = {}) => {
    const row = await trx
      .selectFrom("totp_factors")
      .selectAll()
      .where("person", "=", person)
      .where("confirmed_at", confirm ? "is" : "is not", null)
      .executeTakeFirst();
    if (row === undefined) return false;
    const secret = Secret.fromBase32(await envelope.open(trx, { owner: person, column }, row.secret));
    const timestamp = Date.now();
    const delta = totpOf(secret, "").validate({ token: code, timestamp, window: 1 });
    if (delta === null) return false;
    const step = Math.floor(timestamp / 1000 / period) + delta;
    const taken = await trx
      .updateTable("totp_factors")
      .set({ last_step: step, ...(confirm ? { confirmed_at: new Date() } : {}) })
      .where("person", "=", person)
      .where("secret", "=", row.secret)
      .where("last_step", "<", step)
      .returning("person")
      .executeTakeFirst();
    return taken !== undefined;
  },
  remove: async (trx, person) => {
    const { numDeletedRows } = await trx.deleteFrom("totp_factors").where("person", "=", person).executeTakeFirst();
    return numDeletedRows > 0n;
  },
  confirmedAt: async (db, person) =>
    (await db.selectFrom("totp_factors").select("confirmed_at").where("person", "=", person).executeTakeFirst())
      ?.confirmed_at ?? null,
});
