/** How an invitation reaches its address. */
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
