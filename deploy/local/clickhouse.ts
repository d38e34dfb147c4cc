/**
 * ClickHouse: the real server's engine from npm, in a process of its own, on a folder that one process may use at a
 * time. Rows it has acknowledged survive kill -9 of the process.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild, untilReady } from "./child.ts";
import { configXml, usersXml } from "./clickhouse-config.ts";
import { newPassword, writePrivate } from "./secrets.ts";

export interface ClickHouse extends Child {
  readonly url: string;
}

const engine = fileURLToPath(new URL("clickhouse-engine.ts", import.meta.url));

export const startClickHouse = async (options: {
  dir: string;
  log: string;
  port: number;
  database: string;
  passwordOf: (user: string) => string;
}): Promise<ClickHouse> => {
  const { dir, log, port, database, passwordOf } = options;
  const conf = join(dir, "conf");
  const stopPassword = newPassword();
  mkdirSync(conf, { recursive: true, mode: 0o700 });
  writePrivate(join(conf, "config.xml"), configXml({ dir, port, log: log.replace(/(\.log)?$/, "-server.log") }));
  writePrivate(join(conf, "users.xml"), usersXml({ database, passwordOf, stopPassword }));
  writePrivate(join(conf, "stopper"), stopPassword);

  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: "clickhouse",
    command: process.execPath,
    args: [engine, dir, String(port)],
    log,
    cwd: dir,
  });
  const answers = () =>
    fetch(`${url}/ping`).then(
      (response) => response.ok,
      () => false,
    );
  await untilReady(child, answers, 60_000);
  return { ...child, url };
};
