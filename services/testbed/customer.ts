/** For tests: a second ClickHouse server as a customer has it, of whose users each has the grants it was given. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type ClickHouse, choosePorts, startClickHouse, state } from "@astralog/local";

export interface CustomerServer {
  readonly url: string;
  readonly database: string;
  /** As its owner. Rejects with what the server said. */
  ask<T>(query: string): Promise<T[]>;
  /** Its process ends, and it answers no more. */
  stop(): Promise<void>;
  /** On the same port and folder. */
  start(): Promise<void>;
  /** Ends it and takes its data away. */
  remove(): Promise<void>;
}

const owner = "astralog_admin";
const password = "of-the-server-s-owner";
const database = "logs";

/** `others`: its users besides its owner; `more`: elements of its configuration besides. */
export const startCustomer = async ({
  more = "",
  others = [],
}: Pick<Parameters<typeof startClickHouse>[0], "more" | "others"> = {}): Promise<CustomerServer> => {
  const dir = mkdtempSync(join(state, "customer-"));
  const { port } = await choosePorts({ port: 0 });
  const diskKey = randomBytes(32).toString("hex");
  const options = { dir, port, database, log: join(dir, "log"), passwordOf: () => password, diskKey, more, others };
  let server: ClickHouse | undefined = await startClickHouse(options);
  const { url } = server;
  const stop = async (): Promise<void> => {
    await server?.stop();
    server = undefined;
  };
  const one: CustomerServer = {
    ...{ url, database, stop },
    start: async () => {
      server = await startClickHouse(options);
    },
    remove: async () => {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
    ask: async <T>(query: string) => {
      const answer = await fetch(`${url}/?default_format=JSONEachRow&output_format_json_quote_64bit_integers=0`, {
        method: "POST",
        body: query,
        headers: { "X-ClickHouse-User": owner, "X-ClickHouse-Key": password },
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
    },
  };
  await one.ask(`CREATE DATABASE ${database}`);
  return one;
};
