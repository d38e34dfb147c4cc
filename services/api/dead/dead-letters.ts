/** Dead letters of one tenant, without their payload; read as the ledger user, since no view shows them. Their id is `partition-offset` for a record, with `-index` for an event. */
import { topics } from "@astralog/schemas";
import { createBinder } from "@astralog/schemas/query/index";
import { type Owner, ownerSql, type Sql } from "../search/scope.ts";

export interface DeadAt {
  /** Without the cluster's prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** -1: the whole record. */
  readonly index: number;
}

const shape = /^(?:([\w.-]{1,249}):)?(\d{1,6})-(\d{1,15})(?:-(\d{1,9}))?$/;

export const parseDeadId = (text: string): DeadAt | undefined => {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, topic = topics.raw.name, partition, offset, index] = match;
  return {
    topic,
    partition: Number(partition),
    offset: Number(offset),
    index: index === undefined ? -1 : Number(index),
  };
};

export const formatDeadId = ({ topic, partition, offset, index }: DeadAt): string =>
  `${topic === topics.raw.name ? "" : `${topic}:`}${partition}-${offset}${index < 0 ? "" : `-${index}`}`;

export type DeadRow = [
  topic: string,
  partition: number,
  offset: string,
  index: number,
  source: string,
  reason: string,
  detail: string,
  diedAt: string,
  payloadBytes: number,
  encryption: string,
  payload: string,
];

const columns = (payload: boolean): string =>
  `topic, partition, toString(offset), index, source, reason, detail, toString(toUnixTimestamp64Milli(died_at)), payload_bytes, encryption, ${
    payload ? "base64Encode(payload)" : "''"
  }`;

/** Newest first. */
export const deadListSql = (owner: Owner, { limit, reason }: { limit: number; reason?: string | undefined }): Sql => {
  const { params, bind } = createBinder();
  const conditions = [ownerSql(owner, bind)];
  if (reason !== undefined) conditions.push(`reason = ${bind("String", reason)}`);
  return {
    query: `SELECT ${columns(false)} FROM dead_letters FINAL WHERE ${conditions.join(" AND ")}
ORDER BY died_at DESC, topic, partition, offset DESC, index DESC LIMIT ${limit}`,
    params,
  };
};

export const deadLetterSql = (
  owner: Owner,
  topicPrefix: string,
  at: DeadAt,
  { payload }: { payload: boolean },
): Sql => {
  const { params, bind } = createBinder();
  return {
    query: `SELECT ${columns(payload)} FROM dead_letters FINAL WHERE ${ownerSql(owner, bind)}
AND topic = ${bind("String", topicPrefix + at.topic)} AND partition = ${bind("Int64", at.partition)}
AND offset = ${bind("Int64", at.offset)} AND index = ${bind("Int64", at.index)} LIMIT 1`,
    params,
  };
};

export const deadPlace = (row: DeadRow, topicPrefix: string): DeadAt => ({
  topic: row[0].startsWith(topicPrefix) ? row[0].slice(topicPrefix.length) : row[0],
  partition: row[1],
  offset: Number(row[2]),
  index: row[3],
});

export const deadView = (row: DeadRow, topicPrefix: string) => {
  const at = deadPlace(row, topicPrefix);
  return {
    id: formatDeadId(at),
    ...at,
    source: row[4],
    reason: row[5],
    detail: row[6],
    died_at: new Date(Number(row[7])).toISOString(),
    payload_bytes: row[8],
  };
};
