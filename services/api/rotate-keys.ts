/**
 * New data keys for what Postgres keeps sealed: `rotate-keys.ts`, or `rotate-keys.ts --owner tn_…` for one organization or
 * person. All sealed values are sealed anew; services go on meanwhile. SECRETS_KEY itself is changed by configuration.
 */
import { parseArgs } from "node:util";
import { createConfiguredKeys, field, loadConfig, oneShot } from "@astralog/chassis";
import { connectPostgres } from "@astralog/schemas/postgres";
import { createEnvelope } from "./secrets/envelope.ts";
import { rotateDataKeys } from "./secrets/rotation.ts";

const shape = {
  POSTGRES_URL: field.secret("postgres://user:password@host:port/database."),
  SECRETS_KEY: field.key256("Key that the keys of what Postgres must not tell are wrapped with; the api's."),
  SECRETS_KEYS_BEFORE: field.keys256("Keys that were SECRETS_KEY before.", ""),
};

await oneShot("rotate-keys", async () => {
  const { values } = parseArgs({ options: { owner: { type: "string" } } });
  const config = loadConfig(shape);
  const envelope = createEnvelope(createConfiguredKeys([config.SECRETS_KEY, ...config.SECRETS_KEYS_BEFORE]));
  const db = connectPostgres(config.POSTGRES_URL, { max: 2 });
  try {
    const wrapped = await envelope.rewrap(db);
    const done = await rotateDataKeys(db, envelope, values.owner);
    process.stdout.write(`${JSON.stringify({ wrapped, ...done })}\n`);
  } finally {
    await db.destroy();
  }
});
