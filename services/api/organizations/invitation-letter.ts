/** How an invitation reaches its address. The link's origin comes from PUBLIC_URL, never from a request. */
import { writeLetter } from "@astralog/chassis";
import type { Mailer } from "../mail/mailer.ts";
import type { Trx } from "../postgres.ts";

export interface InvitationMail {
  readonly to: string;
  readonly organization: string;
  /** Who invites, as the mail calls him; empty for a key. */
  readonly inviter: string;
  readonly token: string;
}

/** In the transaction that makes the invitation: neither exists without the other. */
export type SendInvitation = (trx: Trx, mail: InvitationMail) => Promise<void>;

const weekMinutes = 7 * 24 * 60;

export const createSendInvitation =
  (mailer: Pick<Mailer, "send">, publicUrl: URL): SendInvitation =>
  (trx, { to, organization, inviter, token }) => {
    const letter = writeLetter({
      to,
      subject: `Join ${organization} on Astralog`,
      paragraphs: [
        `${inviter === "" ? "You are" : `${inviter} has`} invited ${inviter === "" ? "" : "you "}to the organization ${organization}.`,
        "Sign in with this address, and the link lets you in. It works once, for a week.",
      ],
      // Behind #, which browsers keep to themselves.
      action: { label: "Look at the invitation", url: `${publicUrl.origin}/invitation#${token}` },
      foot: "If you do not know who this is from, ignore this mail.",
    });
    return mailer.send(trx, letter, { minutes: weekMinutes });
  };
