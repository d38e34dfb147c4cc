/** Removes what has ended: it opens nothing any more, and would only pile up. */
import type { Log } from "@astralog/chassis";
import type { Db } from "../postgres.ts";

const everyMs = 10 * 60_000;

export const startSweep = (db: Db, log: Log): { close(): void } => {
  const sweep = async (): Promise<void> => {
    const now = new Date();
    await db.deleteFrom("mail_outbox").where("expires_at", "<", now).execute();
    await db.deleteFrom("sign_in_links").where("expires_at", "<", now).execute();
    await db.deleteFrom("webauthn_challenges").where("expires_at", "<", now).execute();
    await db.deleteFrom("sso_requests").where("expires_at", "<", now).execute();
    await db.deleteFrom("saml_replay").where("expires_at", "<", now).execute();
    await db.deleteFrom("identity_confirmations").where("expires_at", "<", now).execute();
    await db.deleteFrom("tries").where("resets_at", "<", now).execute();
    await db.deleteFrom("sessions").where("expires_at", "<", now).execute();
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => log.warn({ err: error }, "what has ended could not be removed yet"));
  }, everyMs);
  return { close: () => clearInterval(timer) };
};
