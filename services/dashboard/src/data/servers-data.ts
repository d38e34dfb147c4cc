/** ClickHouse servers of one's own, and how far what is written there is. */
import type { OwnMode } from "@astralog/schemas/own-clickhouse";
import { useQuery } from "@tanstack/react-query";
import { get } from "../api/client.ts";
import { useRead } from "../api/read.ts";

export interface Server {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly username: string;
  readonly database: string;
  /** Empty: one server. */
  readonly cluster: string;
  readonly mode: OwnMode;
  readonly server_version: string;
  /** What the last probe found lacking; empty when nothing. */
  readonly problem: string;
  readonly probed_at: string;
}

export interface ServerStatus {
  readonly connection: string;
  readonly state: "off" | "starting" | "failing" | "running";
  readonly lag: number;
  readonly records: number;
  readonly events: number;
  readonly bytes: number;
  readonly last_stored_at: string | null;
  readonly problem: { readonly code: string; readonly detail: string; readonly since: string } | null;
}

export const useServers = () => useRead<{ connections: readonly Server[] }>("servers", "/storage/clickhouse");

export const useServerStatus = () =>
  useQuery({
    queryKey: ["servers-status"],
    queryFn: ({ signal }) => get<{ servers: readonly ServerStatus[] }>("/storage/clickhouse-status", signal),
    // What is written moves by itself.
    refetchInterval: 5_000,
    retry: false,
  });

export const modeWords: Readonly<Record<OwnMode, string>> = {
  off: "nothing is written there",
  beside: "beside Astralog's storage",
  instead: "instead of Astralog's storage",
};
