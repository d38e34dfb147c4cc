/**
 * A customer's ClickHouse over HTTP. Everything goes through `outgoing`: the address is judged at each request, no redirect is
 * followed, and an answer has its limits, so a server that means harm costs one request its time.
 */
import { ClickHouseError, parseError } from "@clickhouse/client";
import { Fault } from "../fault.ts";
import type { Outgoing } from "../outgoing.ts";
import { type ClickHouse, fewRows, storeSettings } from "./clickhouse.ts";

export interface RemoteAccess {
  /** https://…, without a path. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

export interface RemoteRequest {
  readonly query: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly queryId?: string;
  /** What an INSERT takes. */
  readonly data?: Buffer;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly mostBytes?: number;
}

export interface RemoteClickHouse extends ClickHouse {
  /** The answer's text and headers. Throws ClickHouseError with what the server said; Faults: `address_refused`, `address_failed`. */
  ask(request: RemoteRequest): Promise<{ readonly text: string; readonly headers: Headers }>;
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "'": "\\'" };
const escaped = (text: string): string => text.replace(/[\\\t\n\r']/g, (one) => escapes[one] ?? one);

/** A parameter's value as ClickHouse reads it from a URL. */
export const parameterText = (value: unknown, within = false): string => {
  if (Array.isArray(value)) return `[${value.map((one) => parameterText(one, true)).join(",")}]`;
  if (typeof value === "string") return within ? `'${escaped(value)}'` : escaped(value);
  return String(value);
};

const timeoutMs = 30_000;
const mostBytes = 64 * 2 ** 20;

/** An answer that is no ClickHouse's, such as a proxy's page, says only its status. */
const failed = (status: number, text: string): unknown => {
  // The type stands at the end, the code at the beginning.
  const error = parseError(text.length > 8_192 ? text.slice(0, 4_096) + text.slice(-4_096) : text);
  if (error instanceof ClickHouseError) return error;
  return new Fault("server_failed", `The server answered ${status}, and not as ClickHouse does.`, { retriable: true });
};

export const createRemoteClickHouse = (
  outgoing: Pick<Outgoing, "fetch">,
  { url, username, password, database }: RemoteAccess,
  /** Of every request. */
  common: Readonly<Record<string, string | number>> = {},
): RemoteClickHouse => {
  const ask: RemoteClickHouse["ask"] = async (request) => {
    const query = new URLSearchParams({ database, default_format: "JSONEachRow", wait_end_of_query: "1" });
    for (const [name, value] of Object.entries({ ...common, ...request.settings })) query.set(name, String(value));
    for (const [name, value] of Object.entries(request.params ?? {})) query.set(`param_${name}`, parameterText(value));
    if (request.queryId !== undefined) query.set("query_id", request.queryId);
    if (request.data !== undefined) query.set("query", request.query);
    const answer = await outgoing.fetch(url, {
      ...{ method: "POST", query, body: request.data ?? request.query, signal: request.signal },
      headers: { "X-ClickHouse-User": username, "X-ClickHouse-Key": password },
      ...{ timeoutMs: request.timeoutMs ?? timeoutMs, mostBytes: request.mostBytes ?? mostBytes },
    });
    const text = await answer.text();
    if (answer.status !== 200 || answer.headers.has("x-clickhouse-exception-code")) throw failed(answer.status, text);
    return { text, headers: answer.headers };
  };
  return {
    ask,
    insert: async ({ query, queryId, body, params, rows }) => {
      const settings = { ...storeSettings, materialize_skip_indexes_on_insert: rows < fewRows ? 0 : 1 };
      const { headers } = await ask({ query, queryId, params, data: body, settings, timeoutMs: 60_000 });
      const summary = JSON.parse(headers.get("x-clickhouse-summary") ?? "{}") as { written_rows?: string };
      return Number(summary.written_rows ?? -1);
    },
    rows: async <T>(query: string, params: Record<string, unknown>) => {
      const { text } = await ask({ query, params, settings: storeSettings });
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as T);
    },
    command: async (query, params) => void (await ask({ query, params, settings: storeSettings })),
    close: () => Promise.resolve(),
  };
};

/** What of ours is asked of a cluster: what one request has written, the next one sees, whichever replica it asks. */
export const remoteSettings = ({ cluster }: { readonly cluster: string }): Readonly<Record<string, string | number>> =>
  cluster === ""
    ? {}
    : {
        ...{ insert_quorum: "auto", insert_quorum_parallel: 0, select_sequential_consistency: 1 },
        ...{ distributed_foreground_insert: 1, distributed_product_mode: "global", prefer_localhost_replica: 1 },
      };

const words: Readonly<Record<string, string>> = {
  AUTHENTICATION_FAILED: "It refused the user or the password.",
  REQUIRED_PASSWORD: "It refused the user or the password.",
  UNKNOWN_USER: "It refused the user or the password.",
  ACCESS_DENIED: "The user lacks a right: probe the connection to see which, with the statement that grants it.",
  UNKNOWN_DATABASE: "The database is not there: create it.",
  UNKNOWN_TABLE: "A table of Astralog's is gone: it is made anew when the connection is changed or begins again.",
  READONLY: "The user's profile lets it only read.",
  TABLE_IS_READ_ONLY: "A replicated table is read-only: its Keeper does not answer.",
  NOT_ENOUGH_SPACE: "Its disk is full.",
  MEMORY_LIMIT_EXCEEDED: "It had not enough memory.",
  TOO_MANY_PARTS: "It merges more slowly than is written (too many parts).",
  TIMEOUT_EXCEEDED: "It took too long.",
};

/** What keeps a customer's server from doing what was asked, in words that quote nothing of what was sent. */
export const remoteTrouble = (error: unknown): { readonly code: string; readonly detail: string } => {
  if (error instanceof ClickHouseError) {
    const code = error.type ?? error.code;
    // A right's name is ClickHouse's own, and the tables are ours.
    const right =
      code === "ACCESS_DENIED" ? /the grant ([A-Z ]+(?:\([\w, ]*\))? ON [\w.*`]+)/.exec(error.message)?.[1] : undefined;
    if (right !== undefined) return { code, detail: `The user lacks a right: grant ${right}.` };
    return { code, detail: words[code] ?? `It answered ${code} (${error.code}).` };
  }
  if (error instanceof Error && error.name === "MigrationError") return { code: "schema", detail: error.message };
  if (!(error instanceof Fault)) return { code: "unexpected", detail: "Something failed here; the log says more." };
  if (error.code === "address_failed") return { code: error.code, detail: "It does not answer." };
  return { code: error.code, detail: error.message };
};
