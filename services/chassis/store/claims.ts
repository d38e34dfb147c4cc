/**
 * Claims: how a sink makes sure that nobody else writes for its partitions, however late.
 *
 * `claim` writes a new token for each partition and then waits until no insert that touches one of them runs any more.
 * Every insert checks, inside ClickHouse and before it reads a row, that its own tokens still are the newest. So, for any
 * insert under an older token, be it of a sink that was frozen, or one of ours whose answer was lost on the way:
 *   - it began its check before our claim was visible: then it was in system.processes before we looked, and we waited
 *     for its end;
 *   - or it begins its check later: then it sees our claim and is refused.
 * After `claim` the tables therefore hold all that any older insert will ever have written for these partitions. Nothing
 * here rests on clocks, on Kafka's idea of who owns a partition, or on a connection that was cut having meant anything.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClickHouse } from "./clickhouse.ts";

export interface Owner {
  partition: number;
  token: string;
}

const idPrefix = (cleanTopic: string): string => `astralog-sink:${cleanTopic}:`;

/** A query id that says which partitions an insert touches. */
export const insertId = (cleanTopic: string, partitions: readonly number[]): string =>
  `${idPrefix(cleanTopic)}${partitions.join(",")}:${randomUUID()}`;

export const partitionsOfInsert = (cleanTopic: string, queryId: string): number[] => {
  const prefix = idPrefix(cleanTopic);
  if (!queryId.startsWith(prefix)) return [];
  return (queryId.slice(prefix.length).split(":", 1)[0] ?? "").split(",").map(Number);
};

/** A condition for WHERE that fails the whole statement unless every owner's token is the newest; with its parameters. */
export const fence = (cleanTopic: string, owners: readonly Owner[]) => ({
  condition: `0 = (SELECT throwIf(count() != length({owners:Array(String)}), 'claimed by another sink') FROM (
      SELECT clean_partition, argMax(token, (epoch, token)) AS newest FROM sink_claims
      WHERE clean_topic = {clean_topic:String} GROUP BY clean_partition)
    WHERE concat(toString(clean_partition), '/', newest) IN {owners:Array(String)})`,
  params: { clean_topic: cleanTopic, owners: owners.map((owner) => `${owner.partition}/${owner.token}`) },
});

/** How long an older insert may go on by itself before it is ended. */
const patienceMs = 3_000;

export const createClaims = (clickhouse: ClickHouse, cleanTopic: string) => {
  const running = async (partitions: ReadonlySet<number>): Promise<string[]> => {
    const found = await clickhouse.rows<{ query_id: string }>(
      "SELECT query_id FROM system.processes WHERE startsWith(query_id, {prefix:String})",
      { prefix: idPrefix(cleanTopic) },
    );
    return found
      .map((row) => row.query_id)
      .filter((id) => partitionsOfInsert(cleanTopic, id).some((partition) => partitions.has(partition)));
  };

  return {
    /** Returns the new token once nothing older can write for these partitions. Call it with no insert of one's own under way. */
    claim: async (partitions: readonly number[]): Promise<string> => {
      const token = randomUUID();
      await clickhouse.command(
        `INSERT INTO sink_claims (clean_topic, clean_partition, epoch, token)
         SELECT {clean_topic:String}, p, max(c.epoch) + 1, {token:String}
         FROM (SELECT arrayJoin({partitions:Array(UInt16)}) AS p) AS wanted
         LEFT JOIN (SELECT clean_partition, epoch FROM sink_claims WHERE clean_topic = {clean_topic:String}) AS c
           ON c.clean_partition = wanted.p
         GROUP BY p`,
        { clean_topic: cleanTopic, partitions: [...partitions], token },
      );
      const wanted = new Set(partitions);
      const began = Date.now();
      for (;;) {
        const ids = await running(wanted);
        if (ids.length === 0) return token;
        if (Date.now() - began > patienceMs)
          await clickhouse.command("KILL QUERY WHERE query_id IN {ids:Array(String)} ASYNC", { ids });
        await sleep(20);
      }
    },
  };
};
