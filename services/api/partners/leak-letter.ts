/** What the owners and administrators of an organization are written when one of its keys was found in public. */
import { type Log, writeLetter } from "@astralog/chassis";
import type { Mailer } from "../mail/mailer.ts";
import type { Db } from "../postgres.ts";
import type { Notify } from "./secret-scanning.ts";

export interface LeakDeps {
  readonly db: Db;
  readonly mailer: Pick<Mailer, "send" | "wake">;
  readonly publicUrl: URL;
  readonly log: Log;
}

/** The key has ended and its trail says so, whether or not anybody can be written to: this never rejects. */
export const createLeakNotice =
  ({ db, mailer, publicUrl, log }: LeakDeps): Notify =>
  async (tenant, { key, name, shown, url }) => {
    log.warn({ tenant, key }, "a tenant's key was found in public and is revoked");
    try {
      const to = await db
        .selectFrom("memberships")
        .innerJoin("people", "people.id", "memberships.person")
        .innerJoin("tenants", "tenants.id", "memberships.tenant")
        .select(["people.email", "tenants.name as organization"])
        .where("memberships.tenant", "=", tenant)
        .where("memberships.role", "in", ["owner", "admin"])
        .where("people.disabled_at", "is", null)
        .execute();
      for (const { email, organization } of to) {
        const letter = writeLetter({
          to: email,
          subject: `A key of ${organization} was found in public and is revoked`,
          paragraphs: [
            `GitHub's secret scanning found the key ${shown}${name === "" ? "" : ` (${name})`} of ${organization}${url === "" ? "" : ` at ${url}`}.`,
            "It is revoked: nobody can use it any more, and whatever used it is refused from now on. Make a new key for that, and take the old one out of where it was found.",
            "The list of keys says when it was used last; the audit trail, who made it and when it ended.",
          ],
          action: { label: "Look at the keys", url: `${publicUrl.origin}/sources` },
        });
        await mailer.send(db, letter);
      }
      mailer.wake();
    } catch (err) {
      log.error({ err, tenant, key }, "the owners of a leaked key could not be written to");
    }
  };
