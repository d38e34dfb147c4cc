/** Who asks, once it is known: a key or a person, and in which organization. */
import type { Permission } from "@astralog/schemas";
import type { Response } from "express";

export interface Session {
  readonly id: string;
  readonly person: string;
  /** When a second factor was last proven in it. */
  readonly mfaAt: Date | null;
}

/** Somebody with a session, whatever organizations he belongs to. */
export interface Person {
  readonly actor: { readonly kind: "user"; readonly id: string; readonly name: string };
  /** Proven to be his, in lower case. */
  readonly email: string;
  readonly session: Session;
  /** The one organization that a session begun by its identity provider is good for. */
  readonly organization: string | null;
}

/** Who acts in an organization. */
export interface Caller {
  /** The organization acted in; `systemChain` for what operators of the platform do. */
  readonly tenant: string;
  /** A key's name is empty here: the audit trail knows it. */
  readonly actor: { readonly kind: "key" | "user"; readonly id: string; readonly name: string };
  readonly permissions: ReadonlySet<Permission>;
  /** What he may give to others: by roles, invitations and keys. */
  readonly grants: ReadonlySet<Permission>;
  /** Ids of the sources he may see. */
  readonly sources: "all" | ReadonlySet<string>;
  /** When a person asks. */
  readonly session?: Session;
}

/** Undefined where no credentials are needed, and until they are checked. */
export const askerOf = (response: Response): Caller | Person | undefined =>
  response.locals.asker as Caller | Person | undefined;
