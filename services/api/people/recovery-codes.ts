/** Ten codes for the day the phone is gone. Each works once; 120 bits each, so their plain hash gives nothing away. */
import { hash, randomInt } from "node:crypto";
import type { Db, Trx } from "../postgres.ts";

const count = 10;
const length = 24;
/** Base 32 without what looks alike. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

const newCode = (): string => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
const shown = (code: string): string => code.replace(/.{6}(?=.)/g, "$&-");
/** As somebody may have written it down. */
const plain = (code: string): string =>
  code.toLowerCase().replace(/[\s-]/g, "").replaceAll("o", "0").replace(/[il]/g, "1");
const hashOf = (person: string, code: string): string => hash("sha256", `${person}\n${plain(code)}`);

/** Takes the place of those there were. Shown in this answer only. */
export const makeRecoveryCodes = async (trx: Trx, person: string): Promise<string[]> => {
  const codes = Array.from({ length: count }, newCode);
  await trx.deleteFrom("recovery_codes").where("person", "=", person).execute();
  await trx
    .insertInto("recovery_codes")
    .values(codes.map((code) => ({ person, code_hash: hashOf(person, code) })))
    .execute();
  return codes.map(shown);
};

/** Whether it was one; it is none from here on. */
export const useRecoveryCode = async (trx: Trx, person: string, code: string): Promise<boolean> => {
  const { numDeletedRows } = await trx
    .deleteFrom("recovery_codes")
    .where("person", "=", person)
    .where("code_hash", "=", hashOf(person, code))
    .executeTakeFirst();
  return numDeletedRows > 0n;
};

export const countRecoveryCodes = async (db: Db | Trx, person: string): Promise<number> => {
  const rows = await db.selectFrom("recovery_codes").select("person").where("person", "=", person).execute();
  return rows.length;
};

export const dropRecoveryCodes = async (trx: Trx, person: string): Promise<void> =>
  void (await trx.deleteFrom("recovery_codes").where("person", "=", person).execute());
