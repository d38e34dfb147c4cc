/** A tenant's own ClickHouse: where it is, what is written there, and what a user of Astralog's must be allowed. */

/**
 * off: nothing is written there, what is there can be searched. beside: written there and to Astralog's own. instead: written
 * there alone, and searched there unless another place is named.
 */
export const ownModes = ["off", "beside", "instead"] as const;
export type OwnMode = (typeof ownModes)[number];

export interface OwnClickHouseSettings {
  /** https://…, without a path. */
  readonly url: string;
  readonly username: string;
  readonly database: string;
  /** As the server's remote_servers names it; empty: one server. */
  readonly cluster: string;
}

/** As it stands in control.clickhouse. */
export interface OwnClickHouse extends OwnClickHouseSettings {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly mode: OwnMode;
  readonly version: number;
  /** The password, sealed under STORAGE_KEY for `ownClickHouseBound`. */
  readonly sealed: string;
}

/** What a connection's password is bound to, so that it opens for no other. */
export const ownClickHouseBound = (tenant: string, id: string): string =>
  JSON.stringify(["clickhouse_connections", tenant, id]);

/** The oldest server that our tables were proved on: they need its text index and strings in one stream. */
export const leastClickHouse = [26, 7] as const;

/** Whether a server's version() is recent enough. */
export const isRecentEnough = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > leastClickHouse[0] || (major === leastClickHouse[0] && minor >= leastClickHouse[1]);
};

/** Rights on the database: to make our tables and change them with a new version, to write, to search, to delete what is over. */
export const ownRights = ["SELECT", "INSERT", "CREATE TABLE", "ALTER TABLE"] as const;
/** Kinds of tables that we make; where a server asks for no right to them, granting it does no harm. */
export const ownEngines = ["MergeTree", "ReplacingMergeTree", "AggregatingMergeTree"] as const;
/** More that a cluster takes. */
export const ownClusterRights = ["CLUSTER", "REMOTE"] as const;

const quoted = (name: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `\`${name}\``);

/** The statements by which a server's owner makes the database and the user, to copy; the password stands as <password>. */
export const ownSetupSql = ({ username, database, cluster }: Omit<OwnClickHouseSettings, "url">): string[] => {
  const [user, on] = [quoted(username), cluster === "" ? "" : ` ON CLUSTER ${quoted(cluster)}`];
  return [
    `CREATE DATABASE IF NOT EXISTS ${quoted(database)}${on}`,
    `CREATE USER IF NOT EXISTS ${user}${on} IDENTIFIED BY '<password>'`,
    ...ownGrantsSql({ username, database, cluster }),
  ];
};

export const ownGrantsSql = ({ username, database, cluster }: Omit<OwnClickHouseSettings, "url">): string[] => {
  const [user, on] = [quoted(username), cluster === "" ? "" : ` ON CLUSTER ${quoted(cluster)}`];
  const engines = cluster === "" ? ownEngines : [...ownEngines.map((one) => `Replicated${one}`), "Distributed"];
  return [
    `GRANT${on} ${ownRights.join(", ")} ON ${quoted(database)}.* TO ${user}`,
    ...engines.map((engine) => `GRANT${on} TABLE ENGINE ON ${engine} TO ${user}`),
    `GRANT${on} SELECT ON system.processes TO ${user}`,
    `GRANT${on} SELECT ON system.parts TO ${user}`,
    ...(cluster === "" ? [] : [`GRANT${on} ${ownClusterRights.join(", ")} ON *.* TO ${user}`]),
  ];
};
