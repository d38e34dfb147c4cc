/** One ClickHouse user's connection. */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";

export interface ClickHouseAccess {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database?: string;
}

export type { ClickHouseClient };

export const connectClickHouse = (access: ClickHouseAccess, requestTimeoutMs = 30_000): ClickHouseClient =>
  createClient({
    ...access,
    application: "astralog-api",
    request_timeout: requestTimeoutMs,
    max_open_connections: 32,
    // Long queries would not fit a URL.
    use_multipart_params_auto: true,
    keep_alive: { enabled: true, idle_socket_ttl: 2_000 },
    // It would print the queries of users; what fails is logged where it is handled.
    log: { level: ClickHouseLogLevel.OFF },
    compression: { request: false, response: false },
  });
