/**
 * The api's own login in Postgres. It reads and writes rows as the api does; it owns nothing, so it can neither switch off
 * the audit trail's triggers nor change, delete or empty the trail without them.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { Fault } from "@astralog/chassis";
import { connectSession } from "@astralog/schemas/postgres";

export interface ApiLogin {
  readonly username: string;
  /** Empty: the role is there already, and only its rights are made. */
  readonly password: string;
}

/** What is not given on every table. */
const lesser: Readonly<Record<string, string>> = {
  audit_events: "select, insert",
  audit_chains: "select, insert, update",
  kysely_migration: "",
  kysely_migration_lock: "",
};

/** An arbitrary number, of ours alone among the advisory locks of the database. */
const rightsLock = 4_703_002;

const iterations = 4_096;

/** As Postgres keeps a password (RFC 5803), so that the password itself is in no statement that a server may log. */
const verifierOf = (password: string): string => {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, 32, "sha256");
  const keyOf = (what: string): Buffer => createHmac("sha256", salted).update(what).digest();
  const stored = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${keyOf("Server Key").toString("base64")}`;
};

/** Call it after the migrations, as the tables' owner. Faults: `invalid_config`; else throws what Postgres said. */
export const provisionLogin = async (
  ownerUrl: string,
  { username, password }: ApiLogin,
  say: (line: string) => void,
): Promise<void> => {
  const client = connectSession(ownerUrl);
  await client.connect();
  try {
    const ask = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
      (await client.query<T>(sql, values)).rows;
    const [own] = await ask<{ owner: string }>("select current_user as owner");
    if (own?.owner === username)
      throw new Fault("invalid_config", `POSTGRES_API_USERNAME: ${username} owns the tables; the api needs another.`);
    const role = client.escapeIdentifier(username);
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock($1)", [rightsLock]);
    const [known] = await ask("select 1 from pg_roles where rolname = $1", [username]);
    if (known === undefined && password === "")
      throw new Fault(
        "invalid_config",
        `POSTGRES_API_USERNAME: there is no role ${username}, and no password to make it.`,
      );
    if (password !== "")
      await client.query(
        `${known === undefined ? "create" : "alter"} role ${role} login password ${client.escapeLiteral(verifierOf(password))}`,
      );
    const tables = await ask<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = current_schema() and tableowner = current_user",
    );
    for (const { name } of tables) {
      const table = client.escapeIdentifier(name);
      const rights = lesser[name] ?? "select, insert, update, delete";
      await client.query(`revoke all on ${table} from ${role}`);
      if (rights !== "") await client.query(`grant ${rights} on ${table} to ${role}`);
    }
    const [schema] = await ask<{ name: string }>("select current_schema() as name");
    const within = client.escapeIdentifier(schema?.name ?? "public");
    await client.query(`grant usage on schema ${within} to ${role}`);
    await client.query(`grant usage on all sequences in schema ${within} to ${role}`);
    await client.query("commit");
    say(`postgres: ${username} has its rights on ${tables.length} tables, and only adds to the audit trail`);
  } finally {
    await client.end();
  }
};
