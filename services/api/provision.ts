/**
 * Makes everything the services stand on: Postgres and ClickHouse tables, Kafka topics and rights, schemas. Idempotent:
 * run it before each deploy, with administrators' credentials. Says each thing it did on standard output.
 */
import { chassisShape, createKafka, createLog, field, kafkaShape, loadConfig, oneShot } from "@astralog/chassis";
import { migrateClickHouse } from "@astralog/schemas/clickhouse";
import { connectSession, migrate } from "@astralog/schemas/postgres";
import { connectClickHouse } from "./clickhouse.ts";
import { provisionRights, provisionTopics } from "./provision/provision-kafka.ts";
import { type ApiLogin, provisionLogin } from "./provision/provision-postgres.ts";
import { provisionSchemas } from "./provision/provision-registry.ts";

const shape = {
  LOG_LEVEL: chassisShape.LOG_LEVEL,
  ...kafkaShape,
  KAFKA_REPLICATION: field.integer("Copies of each partition; one less must confirm a write.", { min: 1, max: 9 }, "1"),
  POSTGRES_URL: field.secret(
    "postgres://user:password@host:port/database of a user that may create tables, and roles.",
  ),
  POSTGRES_API_USERNAME: field.text(
    "The api's login, whose rights are made; empty: it connects as the tables' owner.",
    "",
  ),
  POSTGRES_API_PASSWORD: field.secret("Makes that login, or changes its password; empty: it is there already.", ""),
  CLICKHOUSE_URL: field.url("ClickHouse over HTTP."),
  CLICKHOUSE_USERNAME: field.text("A user that may create databases and tables."),
  CLICKHOUSE_PASSWORD: field.secret("Its password.", ""),
  CLICKHOUSE_DATABASE: field.text("The database for the tables.", "astralog"),
};

/** An arbitrary number, of ours alone among the advisory locks of the database. */
const clickhouseLock = 4_703_001;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const postgres = async (url: string, login: ApiLogin): Promise<void> => {
  const applied = await migrate(url);
  say(`postgres: ${applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`}`);
  if (login.username !== "") await provisionLogin(url, login, say);
};

/**
 * One at a time: a migration moves rows from table to table, and ClickHouse has no lock that a killed process lets go of.
 * Postgres has: it ends with the session.
 */
const clickhouse = async (
  url: string,
  access: Parameters<typeof connectClickHouse>[0],
  database: string,
): Promise<void> => {
  const session = connectSession(url);
  const client = connectClickHouse(access);
  try {
    await session.connect();
    await session.query("select pg_advisory_lock($1)", [clickhouseLock]);
    const applied = await migrateClickHouse(
      {
        command: async (sql) => void (await client.command({ query: sql })),
        rows: async <T>(sql: string) => (await client.query({ query: sql, format: "JSONEachRow" })).json<T>(),
      },
      database,
    );
    say(`clickhouse: ${applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`}`);
  } finally {
    await Promise.all([client.close(), session.end()]);
  }
};

await oneShot("provision", async () => {
  const config = loadConfig(shape);
  const prefix = config.KAFKA_TOPIC_PREFIX;
  const admin = createKafka(config, createLog("provision", config.LOG_LEVEL), "astralog-provision").admin();
  const kafka = async (): Promise<void> => {
    await admin.connect();
    await provisionTopics(admin, { prefix, replicas: config.KAFKA_REPLICATION, say });
    if (config.KAFKA_USERNAME === "") say("rights: none made, the cluster is used without users");
    else await provisionRights(admin, { prefix, say });
  };
  try {
    const results = await Promise.allSettled([
      postgres(config.POSTGRES_URL, {
        username: config.POSTGRES_API_USERNAME,
        password: config.POSTGRES_API_PASSWORD,
      }),
      clickhouse(
        config.POSTGRES_URL,
        { url: config.CLICKHOUSE_URL, username: config.CLICKHOUSE_USERNAME, password: config.CLICKHOUSE_PASSWORD },
        config.CLICKHOUSE_DATABASE,
      ),
      kafka(),
      provisionSchemas(
        { url: config.REGISTRY_URL, username: config.REGISTRY_USERNAME, password: config.REGISTRY_PASSWORD },
        { prefix, say },
      ),
    ]);
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${results.length} parts failed`);
  } finally {
    await admin.disconnect();
  }
});
