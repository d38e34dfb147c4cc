/** For the real tests: a running api on a platform of its own, called over HTTP, and rows put where the sink would put them. */
import { setTimeout as sleep } from "node:timers/promises";
import { createAuditSigner } from "@astralog/schemas";
import type { Platform, RunningService } from "@astralog/testbed";
import { type By, byOperator } from "./audit/audit-trail.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { createAdmission } from "./search/admission.ts";

/** The fields that tests look at, of every answer; each answer has some of them. */
export interface Body {
  readonly code: string;
  readonly detail: string;
  readonly column: number;
  readonly request_id: string;
  readonly events: { id: string; message: string }[];
  readonly next: string | null;
  readonly id: string;
  readonly key: string;
  readonly keys: Record<string, unknown>[];
  readonly sources: Record<string, unknown>[];
  readonly replayed_as: string;
}

export interface Reply {
  readonly status: number;
  readonly body: Body & Record<string, unknown>;
}

export const callApi =
  (api: RunningService) =>
  async (key: string, method: string, path: string, body?: unknown): Promise<Reply> => {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text === "" ? "{}" : text) as Reply["body"] };
  };

/** For queries that a test makes itself. */
export const unlimited = {
  admission: createAdmission({ perTenant: 64, total: 64, patience: 10_000 }),
  maxRows: 1_000_000_000,
};

export const until = async <T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  for (let i = 0; i < 800; i++) {
    const found = await ask();
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error(`waited 20 s for ${what}`);
};

/** Who a test is when it calls the domain without the api. */
export const byTest = (one: Platform): By =>
  byOperator(createAuditSigner(Buffer.from(one.deployment.auditSigningKey, "base64")), "test");

export interface PlantedEvent {
  message: string;
  /** Nanoseconds since the epoch. */
  timestamp?: bigint;
  level?: number;
  service?: string;
  host?: string;
  trace_id?: string;
  attributes?: Record<string, string>;
  types?: string;
  index?: number;
}

const base = 1_760_000_000_000_000_000n;

/** Writes as ClickHouse's administrator, as the sink would. */
export const planter = (one: Platform) => {
  const { url, database, users } = one.stack.clickhouse;
  const client = connectClickHouse({ url, database, username: "astralog_admin", password: users.astralog_admin ?? "" });
  const receivedAt = Number(base / 1_000_000n);
  const topic = `${one.prefix}events.raw`;
  return {
    topic,
    receivedAt,
    close: () => client.close(),
    command: (query: string) => client.command({ query }),
    rows: async <T>(query: string): Promise<T[]> => (await client.query({ query, format: "JSONEachRow" })).json<T>(),
    events: (tenant: string, source: string, partition: number, offset: number, events: readonly PlantedEvent[]) =>
      client.insert({
        table: "events",
        format: "JSONEachRow",
        values: events.map((event, i) => ({
          tenant,
          source,
          timestamp: `${(event.timestamp ?? base + BigInt(i)) / 1_000_000_000n}.${String((event.timestamp ?? base + BigInt(i)) % 1_000_000_000n).padStart(9, "0")}`,
          received_at: receivedAt / 1000,
          expires_on: "2099-01-01",
          level: event.level ?? 0,
          service: event.service ?? "",
          host: event.host ?? "",
          message: event.message,
          trace_id: event.trace_id ?? "",
          attribute_types: event.types ?? "",
          attributes: event.attributes ?? {},
          topic,
          partition,
          offset,
          idx: event.index ?? i,
        })),
      }),
    ledger: (
      tenant: string,
      source: string,
      rows: readonly {
        partition: number;
        offset: number;
        accepted: number;
        stored: number;
        dropped?: Record<string, number>;
        dedup_id?: string;
      }[],
    ) =>
      client.insert({
        table: "batches",
        format: "JSONEachRow",
        values: rows.map((row) => ({
          topic,
          tenant,
          source,
          received_at: receivedAt / 1000,
          inserted_at: receivedAt / 1000,
          ...row,
        })),
      }),
    letter: (row: Record<string, unknown>) =>
      client.insert({
        table: "dead_letters",
        format: "JSONEachRow",
        values: [{ topic, died_at: receivedAt / 1000, encryption: "aes-256-gcm", ...row }],
      }),
  };
};
