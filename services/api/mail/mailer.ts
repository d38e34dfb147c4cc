/**
 * Mail leaves through Postgres: what is to be sent is written in the transaction of the act it tells of, so neither exists
 * without the other, and a mail server that is down loses nothing and holds up nobody. It is encrypted there, for a mail
 * may hold a link that opens something. Delivered at least once.
 */
import { createMailTransport, createPause, type Log, type Mail } from "@astralog/chassis";
import { z } from "zod";
import type { Db, Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";

export interface Mailer {
  /** `days`: how long it is worth sending. Without `deliver` the same is done, and nothing is ever sent. */
  send(trx: Db | Trx, mail: Mail, options?: { minutes?: number; deliver?: boolean }): Promise<void>;
  /** Tells the delivery that a transaction has left something for it; without it, it finds out within a second or two. */
  wake(): void;
}

export interface Delivery extends Mailer {
  /** Lets the mail that is being sent go. */
  close(): Promise<void>;
}

export interface MailDeps {
  readonly db: Db;
  readonly envelope: Envelope;
  /** smtp:// or smtps://; empty keeps the mail until there is one. */
  readonly url: string;
  readonly from: string;
  readonly log: Log;
  readonly sent: (outcome: "sent" | "failed" | "refused" | "expired") => void;
}

const place = { owner: "system", column: "mail_outbox.mail" };
const mailForm = z.strictObject({ to: z.string(), subject: z.string(), text: z.string(), html: z.string() });
const pollMs = 1_500;
/** Until another process may try what one has taken and not sent. */
const claimMs = 60_000;
const longestWaitMs = 10 * 60_000;
/** "For good" may also be a server that is being set up. */
const triesWhenRefused = 5;
const threeDays = 3 * 24 * 60;

/** 2, 4, 8 … seconds: a server that restarts is found again soon. */
const waitMs = (attempts: number): number => Math.min(1_000 * 2 ** attempts, longestWaitMs);

export const startMail = ({ db, envelope, url, from, log, sent }: MailDeps): Delivery => {
  const transport = createMailTransport(url, from);
  const between = createPause();

  const claim = async () => {
    const now = new Date();
    const next = db
      .selectFrom("mail_outbox")
      .select("id")
      .where("next_at", "<=", now)
      .orderBy("next_at")
      .limit(1)
      .forUpdate()
      .skipLocked();
    return db
      .updateTable("mail_outbox")
      .set((set) => ({ next_at: new Date(Date.now() + claimMs), attempts: set("attempts", "+", 1) }))
      .where("id", "in", next)
      .returningAll()
      .executeTakeFirst();
  };

  /** Whether there was one that was due. */
  const deliverNext = async (): Promise<boolean> => {
    if (transport === undefined) return false;
    const row = await claim();
    if (row === undefined) return false;
    const forget = () => db.deleteFrom("mail_outbox").where("id", "=", row.id).execute();
    if (row.expires_at.getTime() <= Date.now()) {
      await forget();
      sent("expired");
      if (row.attempts > 1)
        log.warn({ mail: row.id, attempts: row.attempts }, "a mail was given up: it is out of date");
      return true;
    }
    try {
      await transport.send(mailForm.parse(JSON.parse(await envelope.open(db, place, row.mail))));
      await forget();
      sent("sent");
    } catch (error) {
      const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
      const about = { mail: row.id, attempts: row.attempts, code, responseCode };
      if (Number(responseCode) >= 500 && row.attempts >= triesWhenRefused) {
        await forget();
        sent("refused");
        log.warn(about, "a mail was given up: the server refuses it for good");
        return true;
      }
      await db
        .updateTable("mail_outbox")
        .set({ next_at: new Date(Date.now() + waitMs(row.attempts)) })
        .where("id", "=", row.id)
        .execute();
      sent("failed");
      // What a mail server answers may repeat the address and the text: only its code is told.
      log.warn(about, "a mail was not taken; it is tried again");
    }
    return true;
  };

  const work = async (): Promise<void> => {
    let blind = false;
    while (!between.stopped) {
      try {
        const more = await deliverNext();
        blind = false;
        if (more) continue;
      } catch (error) {
        if (!blind) log.warn({ err: error }, "the mail cannot be looked through; it is tried again until it can");
        blind = true;
      }
      await between.rest(pollMs);
    }
  };
  const working = work();

  return {
    send: async (trx, mail, { minutes = threeDays, deliver = true } = {}) => {
      const sealed = await envelope.seal(trx, place, JSON.stringify(mail));
      const expires = new Date(Date.now() + minutes * 60_000);
      await trx
        .insertInto("mail_outbox")
        .values({ mail: sealed, expires_at: deliver ? expires : new Date(0), next_at: new Date() })
        .execute();
    },
    wake: between.wake,
    close: async () => {
      between.stop();
      await working;
      transport?.close();
    },
  };
};
