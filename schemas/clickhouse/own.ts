/** Our tables on a customer's own ClickHouse: one server, or a cluster with replicated tables beneath distributed ones. */
import {
  type ClickHouse,
  databaseName,
  type Migration,
  MigrationError,
  migrateClickHouse,
  readMigrations,
} from "./migrate.ts";

/** A cluster's name as it may stand in SQL between quotes. Throws MigrationError on any other. */
export const clusterName = (name: string): string => {
  if (/^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/.test(name)) return name;
  throw new MigrationError(
    `The cluster name "${name}" must be 1 to 63 ASCII letters, digits, _ . or -, beginning with a letter or _.`,
  );
};

/** The file's SQL for one server (cluster "") or for a cluster; `{database}` is left for who runs it. */
export const forOwn = (sql: string, cluster: string): string => {
  const statements = sql.split(/(?<=;)\s*$/m);
  const kept = cluster === "" ? statements.filter((one) => !/^-- cluster only$/m.test(one)) : statements;
  const name = cluster === "" ? "" : `'${clusterName(cluster)}'`;
  return kept
    .join("\n")
    .replaceAll(/\{table:(\w+)\}/g, (_, table: string) => (cluster === "" ? table : `${table}_local`))
    .replaceAll(/\{engine:(\w+)\}/g, (_, engine: string) => (cluster === "" ? engine : `Replicated${engine}`))
    .replaceAll("{on_cluster}", cluster === "" ? "" : ` ON CLUSTER ${name}`)
    .replaceAll("{cluster}", name);
};

/** In order; what has been applied is known by the file as it is written, so a server may be put into a cluster's words later. */
export const ownMigrations = (cluster: string): Migration[] =>
  readMigrations(new URL("own/", import.meta.url)).map((one) => ({ ...one, sql: forOwn(one.sql, cluster) }));

/** Brings the customer's database, which must be there, to this version's tables. Throws as migrateClickHouse does. */
export const migrateOwn = (
  clickhouse: ClickHouse,
  { database, cluster }: { readonly database: string; readonly cluster: string },
): Promise<string[]> =>
  migrateClickHouse(clickhouse, databaseName(database), ownMigrations(cluster), {
    create: false,
    // One for all shards: each of its replicas, wherever it stands, is of one table.
    ...(cluster === ""
      ? {}
      : {
          onCluster: ` ON CLUSTER '${clusterName(cluster)}'`,
          engine: "ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/all', '{shard}-{replica}')",
        }),
  });
