/** Whether a customer's ClickHouse lets us do what we need: its version, and each right by asking for it. */
import { Fault, type RemoteClickHouse, remoteTrouble } from "@astralog/chassis";
import {
  isRecentEnough,
  leastClickHouse,
  type OwnClickHouseSettings,
  ownClusterRights,
  ownGrantsSql,
  ownRights,
} from "@astralog/schemas/own-clickhouse";

export interface ClickHouseProbe {
  readonly ok: boolean;
  /** As the server says; empty when it could not be asked. */
  readonly server_version: string;
  /** Rights that the user lacks, as in GRANT. */
  readonly missing: readonly string[];
  /** The statements that grant them. */
  readonly grants: readonly string[];
  /** In words, with what to do; empty when all is well. */
  readonly problem: string;
}

/** Two rights beyond the database's that everybody needs, each tried by a question. */
const systemTables = ["processes", "parts"] as const;

const quoted = (name: string): string => `\`${name.replaceAll(/[`\\]/g, "")}\``;

/** Never rejects. */
export const probeClickHouse = async (
  server: RemoteClickHouse,
  settings: Omit<OwnClickHouseSettings, "url">,
): Promise<ClickHouseProbe> => {
  const { database, cluster, username } = settings;
  let server_version = "";
  const found = (problem: string, missing: readonly string[] = []): ClickHouseProbe => ({
    ...{ ok: problem === "", server_version, missing, problem },
    grants: missing.length === 0 ? [] : ownGrantsSql(settings),
  });
  const first = async <T>(query: string, params: Record<string, unknown> = {}): Promise<T | undefined> =>
    (await server.rows<T>(query, params))[0];
  const has = async (right: string, on: string): Promise<boolean> =>
    (await first<{ result: number }>(`CHECK GRANT ${right} ON ${on}`))?.result === 1;
  try {
    server_version = (await first<{ v: string }>("SELECT version() AS v"))?.v ?? "";
    if (!isRecentEnough(server_version))
      return found(
        `It is ClickHouse ${server_version}; Astralog's tables need ${leastClickHouse.join(".")} or later (their text index, and strings in one stream). Upgrade the server.`,
      );
    if ((await first<{ r: number }>("SELECT toUInt8(getSetting('readonly')) AS r"))?.r !== 0)
      return found("The user's profile has readonly set: give it one that may write.");
    const missing: string[] = [];
    for (const right of ownRights)
      if (!(await has(right, `${quoted(database)}.*`))) missing.push(`${right} ON ${database}.*`);
    for (const table of systemTables) {
      const may = await server.rows(`SELECT 1 AS one FROM system.${table} LIMIT 1`, {}).then(
        () => true,
        (error: unknown) => {
          if (remoteTrouble(error).code === "ACCESS_DENIED") return false;
          throw error;
        },
      );
      if (!may) missing.push(`SELECT ON system.${table}`);
    }
    if (cluster !== "") {
      for (const right of ownClusterRights) if (!(await has(right, "*.*"))) missing.push(`${right} ON *.*`);
    }
    if (missing.length > 0)
      return found(
        `The user ${username} lacks ${missing.join(", ")}. Run on the server: ${ownGrantsSql(settings).join("; ")}.`,
        missing,
      );
    if ((await first<{ result: number }>(`EXISTS DATABASE ${quoted(database)}`))?.result !== 1)
      return found(`There is no database ${database}. Run on the server: CREATE DATABASE ${database}.`);
    if (cluster !== "") {
      // Who may not look there is told by the first statement that names it.
      const nodes = await first<{ n: number }>(
        "SELECT toUInt32(count()) AS n FROM system.clusters WHERE cluster = {cluster:String}",
        { cluster },
      ).catch(() => undefined);
      if (nodes?.n === 0)
        return found(`The server knows no cluster ${cluster}: see SELECT cluster FROM system.clusters.`);
    }
    return found("");
  } catch (error) {
    if (error instanceof Fault && error.code === "address_refused") throw error;
    return found(`The server could not be asked: ${remoteTrouble(error).detail}`);
  }
};
