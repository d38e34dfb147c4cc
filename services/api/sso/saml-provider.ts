/** A connection as the SAML exchange takes it, and what keeps a provider's message from being believed twice. */
import { type Db, withPostgres } from "../postgres.ts";
import type { ConnectionDeps, OpenConnection } from "./connections.ts";
import { refused } from "./saml-form.ts";
import type { SamlAddresses, SamlProvider } from "./saml-response.ts";
import { signingOf } from "./saml-signing.ts";

export const samlProvider = ({ issuer, pems }: OpenConnection): SamlProvider => ({ issuer, certificates: pems });

/** With what we sign by. */
export const samlAddresses = async (
  { db, envelope }: ConnectionDeps,
  connection: OpenConnection,
): Promise<SamlAddresses & { readonly signing: NonNullable<SamlAddresses["signing"]> }> => ({
  certificates: connection.pems,
  entryPoint: connection.entry_point ?? "",
  ...(connection.logout_url === null ? {} : { logoutUrl: connection.logout_url }),
  signing: await withPostgres(() => signingOf(db, envelope, connection)),
});

/** Faults: `saml_refused` when it was shown before. */
export const onlyOnce = async (
  db: Db,
  connection: string,
  { id, expiresAt }: { readonly id: string; readonly expiresAt: Date },
): Promise<void> => {
  const { numInsertedOrUpdatedRows: fresh } = await db
    .insertInto("saml_replay")
    .values({ connection, assertion: id, expires_at: expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (fresh !== 1n) throw refused("it was shown before");
};
