/** ClickHouse's HTTP interface as its administrator: the bench looks from outside, past every service. */
import { Agent, request } from "node:http";
import type { Addresses } from "@astralog/local";

export interface ClickHouse {
  /** Runs a statement; `body` is data for an INSERT. Throws with the server's words. */
  run(sql: string, body?: readonly Buffer[]): Promise<string>;
  rows<T>(sql: string): Promise<T[]>;
  close(): void;
}

export const connectClickHouse = ({ url, database, users }: Addresses["clickhouse"]): ClickHouse => {
  const agent = new Agent({ keepAlive: true });
  const run = (sql: string, body: readonly Buffer[] = []): Promise<string> =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      target.searchParams.set("database", database);
      if (body.length > 0) target.searchParams.set("query", sql);
      const headers = { "x-clickhouse-user": "astralog_admin", "x-clickhouse-key": users.astralog_admin ?? "" };
      const sent = request(target, { method: "POST", agent, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          text += piece;
        });
        response.on("error", reject);
        response.on("end", () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`ClickHouse: ${text.slice(0, 500)}`)),
        );
      });
      sent.on("error", reject);
      if (body.length === 0) sent.write(sql);
      for (const piece of body) sent.write(piece);
      sent.end();
    });
  return {
    run,
    rows: async <T>(sql: string) =>
      (await run(`${sql} FORMAT JSONEachRow`))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as T),
    close: () => agent.destroy(),
  };
};

/** 64-bit numbers come as text. */
export const numberIn = async (clickhouse: ClickHouse, sql: string): Promise<number> =>
  Number((await clickhouse.run(`${sql} FORMAT TSV`)).trim());
