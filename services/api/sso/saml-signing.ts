/** What we sign with for a SAML provider: one RSA key per connection, made when first needed, sealed, never shown. */
import type { SsoConnectionTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { generate } from "selfsigned";
import type { Db } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";

export interface SamlSigning {
  readonly key: string;
  readonly certificate: string;
}

type Row = Pick<Selectable<SsoConnectionTable>, "id" | "tenant" | "signing_key" | "signing_certificate">;

const columnOf = (tenant: string) => ({ owner: tenant, column: "sso_connections.signing_key" });
/** Providers pin the certificate as it is, so its end would only be a day on which sign-in breaks. */
const years = 20;

const makeSigning = async (id: string): Promise<SamlSigning> => {
  const now = new Date();
  const end = new Date(now);
  end.setFullYear(now.getFullYear() + years);
  const made = await generate([{ name: "commonName", value: `Astralog ${id}` }], {
    ...{ keyType: "rsa", keySize: 2048, algorithm: "sha256", notBeforeDate: now, notAfterDate: end },
  });
  return { key: made.private, certificate: made.cert };
};

export const signingOf = async (db: Db, envelope: Envelope, { id, ...row }: Row): Promise<SamlSigning> => {
  const column = columnOf(row.tenant);
  if (row.signing_key !== null && row.signing_certificate !== null)
    return { key: await envelope.open(db, column, row.signing_key), certificate: row.signing_certificate };
  const made = await makeSigning(id);
  const kept = await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable("sso_connections")
      .set({ signing_key: await envelope.seal(trx, column, made.key), signing_certificate: made.certificate })
      .where("id", "=", id)
      .where("signing_key", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  });
  if (kept) return made;
  // Another request was first: providers know one certificate.
  const found = await db
    .selectFrom("sso_connections")
    .select(["signing_key", "signing_certificate"])
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return signingOf(db, envelope, { id, tenant: row.tenant, ...found });
};
