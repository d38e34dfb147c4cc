/**
 * The first tenant, source and keys: `bootstrap.ts --tenant NAME --source NAME`. A tenant or source of that name is
 * used again; the keys are always new. Prints one JSON object on standard output, the only time the keys are seen. With
 * them, or with `--link-only` without them, comes the link that makes the first owner, once, as long as there is none.
 */
import { parseArgs } from "node:util";
import { field, loadConfig, oneShot } from "@astralog/chassis";
import { createAuditSigner } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { byOperator } from "./audit/audit-trail.ts";
import { createKey } from "./control/keys.ts";
import { createSource, listSources } from "./control/sources.ts";
import { ensureTenant } from "./control/tenants.ts";
import { hasOwner } from "./people/first-owner.ts";
import { makeFirstOwnerLink } from "./people/links.ts";

const shape = {
  POSTGRES_URL: field.secret("postgres://user:password@host:port/database."),
  PUBLIC_URL: field.publicUrl("Where people's browsers find the dashboard; the api's."),
  AUDIT_SIGNING_KEY: field.key256("Seed of the Ed25519 key that signs the audit trails' heads; the api's."),
};

await oneShot("bootstrap", async () => {
  const { values } = parseArgs({
    options: {
      tenant: { type: "string", default: "main" },
      source: { type: "string", default: "default" },
      "link-only": { type: "boolean", default: false },
    },
  });
  const config = loadConfig(shape);
  const by = byOperator(createAuditSigner(config.AUDIT_SIGNING_KEY), "bootstrap");
  const db = connectPostgres(config.POSTGRES_URL, { max: 2 });
  try {
    const tenant = await ensureTenant(db, values.tenant, by);
    const firstOwnerLink = await db
      .transaction()
      .execute(async (trx) =>
        (await hasOwner(trx, tenant.id))
          ? ""
          : `${config.PUBLIC_URL.origin}/welcome#${await makeFirstOwnerLink(trx, tenant.id)}`,
      );
    if (values["link-only"]) {
      process.stdout.write(`${JSON.stringify({ tenant: tenant.id, firstOwnerLink })}\n`);
      return;
    }
    const known = (await listSources(db, tenant.id)).find((source) => source.name === values.source);
    const source = known ?? (await createSource(db, tenant.id, { name: values.source }, by));
    const make = async (kind: "ingest" | "query" | "admin") =>
      (
        await createKey(
          db,
          tenant.id,
          { kind, name: "bootstrap", source: kind === "ingest" ? source.id : undefined },
          by,
        )
      ).key;
    const made = {
      tenant: tenant.id,
      source: source.id,
      ingestKey: await make("ingest"),
      queryKey: await make("query"),
      adminKey: await make("admin"),
      firstOwnerLink,
    };
    process.stdout.write(`${JSON.stringify(made)}\n`);
  } finally {
    await db.destroy();
  }
});
