/**
 * Links that prove that somebody reads an address. A link opens a page, and that page asks for what it promises; opening
 * it consumes nothing, so whatever looks at links in mails may do so. It works once, for ten minutes, and only in the
 * browser that asked: a link that somebody else got hold of, or was made to send on, is worth nothing to him.
 */
import { Fault } from "@astralog/chassis";
import type { SignInLinkTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import type { Trx } from "../postgres.ts";
import { hashToken, newToken, tokenForm } from "./tokens.ts";

export const linkMinutes = 10;
const firstOwnerHours = 24;

export interface NewLink {
  readonly purpose: "sign-in" | "email";
  readonly email: string;
  /** Null where there is nobody: such a link leads nowhere, and nobody can tell. */
  readonly person: string | null;
  /** What the asking browser's cookie holds. */
  readonly browser: string;
}

export type Link = Pick<Selectable<SignInLinkTable>, "purpose" | "email" | "person" | "tenant">;

export const makeLink = async (trx: Trx, { browser, ...link }: NewLink): Promise<string> => {
  const token = newToken();
  await trx
    .insertInto("sign_in_links")
    .values({
      ...link,
      token_hash: hashToken(token),
      browser_hash: hashToken(browser),
      tenant: null,
      expires_at: new Date(Date.now() + linkMinutes * 60_000),
    })
    .execute();
  return token;
};

/** For a console: it makes the first owner of a tenant. One made before no longer works. */
export const makeFirstOwnerLink = async (trx: Trx, tenant: string): Promise<string> => {
  const token = newToken();
  await trx.deleteFrom("sign_in_links").where("purpose", "=", "first-owner").where("tenant", "=", tenant).execute();
  await trx
    .insertInto("sign_in_links")
    .values({
      purpose: "first-owner",
      token_hash: hashToken(token),
      browser_hash: null,
      email: "",
      person: null,
      tenant,
      expires_at: new Date(Date.now() + firstOwnerHours * 3_600_000),
    })
    .execute();
  return token;
};

const gone = (): Fault =>
  new Fault("link_ended", "This link was used before, is older than it may be, or never was one. Ask for a new one.");

/**
 * Takes a link out of the world: of many that come at a time with the same one, one gets it. In the wrong browser it
 * stays. Faults: `link_ended`, `link_elsewhere`.
 */
export const takeLink = async (trx: Trx, token: string, browser: string | undefined): Promise<Link> => {
  if (!tokenForm.test(token)) throw gone();
  const row = await trx
    .deleteFrom("sign_in_links")
    .where("token_hash", "=", hashToken(token))
    .where("expires_at", ">", new Date())
    .returning(["purpose", "email", "person", "tenant", "browser_hash"])
    .executeTakeFirst();
  if (row === undefined) throw gone();
  const { browser_hash: asked, ...link } = row;
  if (asked !== null && asked !== hashToken(browser ?? "")) {
    // The transaction ends with this, so the link is still there for the browser that asked.
    throw new Fault(
      "link_elsewhere",
      "This link works in the browser that asked for it. Open it there, or ask again here.",
    );
  }
  return link;
};
