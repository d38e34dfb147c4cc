/**
 * ClickHouse over HTTP, with answers and data as the compressed blocks that the server makes and takes: what passes
 * through here is never decoded. Each block has a checksum of the server's own.
 */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "@astralog/chassis";

export interface Access {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

export interface ClickHouse {
  readonly database: string;
  rows<T>(sql: string): Promise<T[]>;
  command(sql: string): Promise<void>;
  /** The answer in `FORMAT Native`, whole at the server before its first byte comes, and how many rows it has. */
  read(sql: string): Promise<{ rows: number; body: AsyncIterable<Buffer> }>;
  /** Inserts what `read` has given; `sql` ends with `FORMAT Native`. Returns how many rows came there. */
  write(sql: string, body: AsyncIterable<Buffer>): Promise<number>;
}

/** A slice of a million rows takes some seconds; a server that says nothing for so long is lost. */
const idleMs = 600_000;

const textOf = async (answer: IncomingMessage): Promise<string> => {
  let text = "";
  answer.setEncoding("utf8");
  for await (const piece of answer as AsyncIterable<string>) text += piece;
  return text;
};

/** Its words can quote data, its code cannot. */
const faultOf = (answer: IncomingMessage, text: string): Fault => {
  const name =
    /\(([A-Z][A-Z_]+)\)/.exec(text)?.[1] ?? String(answer.headers["x-clickhouse-exception-code"] ?? answer.statusCode);
  return new Fault("clickhouse_refused", `ClickHouse refused: ${name}.`);
};

export const connectClickHouse = ({ url, username, password, database }: Access): ClickHouse => {
  const ask = async (
    sql: string,
    settings: Record<string, string>,
    body?: AsyncIterable<Buffer>,
  ): Promise<IncomingMessage> => {
    const target = new URL(url);
    for (const [name, value] of Object.entries(settings)) target.searchParams.set(name, value);
    if (body !== undefined) target.searchParams.set("query", sql);
    const headers = { "x-clickhouse-user": username, "x-clickhouse-key": password };
    const sent = (target.protocol === "https:" ? requestHttps : requestHttp)(target, {
      ...{ method: "POST", headers, timeout: idleMs, agent: false },
    });
    sent.on("timeout", () => sent.destroy(new Error("ClickHouse said nothing for too long")));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once("response", resolve);
      sent.once("error", reject);
    });
    answered.catch(() => undefined);
    try {
      if (body === undefined) sent.end(sql);
      // A server that refuses answers before it has taken everything; its answer counts, not the broken pipe.
      else
        await Promise.race([
          pipeline(Readable.from(body, { objectMode: false }), sent).catch(async (error: unknown) => {
            await Promise.race([answered, Promise.reject(error)]);
          }),
          answered,
        ]);
      const answer = await answered;
      if (answer.statusCode !== 200) throw faultOf(answer, await textOf(answer));
      return answer;
    } catch (error) {
      sent.destroy();
      if (error instanceof Fault) throw error;
      throw new Fault("clickhouse_unavailable", "ClickHouse does not answer.", { retriable: true, cause: error });
    }
  };
  const summary = (answer: IncomingMessage, field: string): number =>
    Number((JSON.parse(String(answer.headers["x-clickhouse-summary"] ?? "{}")) as Record<string, string>)[field] ?? 0);

  return {
    database,
    rows: async <T>(sql: string) => {
      const answer = await ask(`${sql} FORMAT JSONEachRow`, {
        output_format_json_quote_64bit_integers: "0",
        wait_end_of_query: "1",
      });
      const lines = (await textOf(answer)).split("\n");
      return lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
    },
    command: async (sql) => void (await textOf(await ask(sql, { wait_end_of_query: "1" }))),
    read: async (sql) => {
      const answer = await ask(`${sql} FORMAT Native`, {
        ...{ wait_end_of_query: "1", compress: "1", network_compression_method: "ZSTD" },
      });
      return { rows: summary(answer, "result_rows"), body: answer };
    },
    write: async (sql, body) => {
      const answer = await ask(sql, { wait_end_of_query: "1", decompress: "1" }, body);
      await textOf(answer);
      return summary(answer, "read_rows");
    },
  };
};
