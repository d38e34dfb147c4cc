/**
 * The first tenant, source and keys: `bootstrap.ts --tenant NAME --source NAME`. A tenant or source of that name is
 * used again; the keys are always new. Prints one JSON object on standard output, the only time the keys are seen.
 */
import { parseArgs } from "node:util";
import { field, loadConfig, oneShot } from "@astralog/chassis";
import { connectPostgres } from "@astralog/schemas/postgres";
import { createKey } from "./keys.ts";
import { createSource, listSources } from "./sources.ts";
import { ensureTenant } from "./tenants.ts";

const shape = { POSTGRES_URL: field.secret("postgres://user:password@host:port/database.") };

await oneShot("bootstrap", async () => {
  const { values } = parseArgs({
    options: { tenant: { type: "string", default: "main" }, source: { type: "string", default: "default" } },
  });
  const db = connectPostgres(loadConfig(shape).POSTGRES_URL, { max: 2 });
  try {
    const tenant = await ensureTenant(db, values.tenant);
    const known = (await listSources(db, tenant.id)).find((source) => source.name === values.source);
    const source = known ?? (await createSource(db, tenant.id, { name: values.source }));
    const make = async (kind: "ingest" | "query" | "admin") =>
      (await createKey(db, tenant.id, { kind, name: "bootstrap", source: kind === "ingest" ? source.id : undefined }))
        .key;
    const made = {
      tenant: tenant.id,
      source: source.id,
      ingestKey: await make("ingest"),
      queryKey: await make("query"),
      adminKey: await make("admin"),
    };
    process.stdout.write(`${JSON.stringify(made)}\n`);
  } finally {
    await db.destroy();
  }
});
