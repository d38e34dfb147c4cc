/**
 * ClickHouse: the real server's engine from npm, in a process of its own, on a folder that one process may use at a
 * time. Rows it has acknowledged survive kill -9 of the process.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild, untilReady } from "./child.ts";
import { configXml, diskKeyVariable, type OtherUser, usersXml } from "./clickhouse-config.ts";
import { newPassword, writePrivate } from "./secrets.ts";

export interface ClickHouse extends Child {
  readonly url: string;
}

/**
 * Under another key, or from before there was one, tables would come up empty or in pieces: so what a folder was written
 * with stands in it, as a hash.
 */
const requireSameKey = (dir: string, diskKey: string): void => {
  const file = join(dir, "disk-key.sha256");
  const mine = createHash("sha256").update(`astralog-clickhouse-disk\n${diskKey}`).digest("hex");
  if (!existsSync(file)) {
    if (existsSync(join(dir, "metadata")))
      throw new Error(
        `ClickHouse's data in ${dir} was written before it was encrypted at rest, and this version does not read it. To begin anew: npm start -- --fresh. To keep it: take what you need with the version that wrote it.`,
      );
    writePrivate(file, mine);
  } else if (readFileSync(file, "utf8") !== mine)
    throw new Error(
      `ClickHouse's data in ${dir} is encrypted with another key than that of secrets.json beside it. Put the file back that belongs to it, or begin anew: npm start -- --fresh.`,
    );
};

/**
 * To sync the folder of a new part, this engine looks for its full path below the disk's own path (on a plain disk the full
 * path stands for itself). So that path leads there.
 */
const makeDisk = (dir: string): void => {
  const tables = join(dir, "files", "tables");
  const asked = join(tables, tables);
  mkdirSync(dirname(asked), { recursive: true, mode: 0o700 });
  if (!existsSync(asked)) symlinkSync(tables, asked);
};

const engine = fileURLToPath(new URL("clickhouse-engine.ts", import.meta.url));

export const startClickHouse = async (options: {
  dir: string;
  log: string;
  port: number;
  database: string;
  passwordOf: (user: string) => string;
  /** 32 bytes in hex, which the tables are encrypted with. */
  diskKey: string;
  /** Elements of its configuration, and users, besides. */
  more?: string;
  others?: readonly OtherUser[];
}): Promise<ClickHouse> => {
  const { dir, log, port, database, passwordOf, diskKey, more, others = [] } = options;
  requireSameKey(dir, diskKey);
  makeDisk(dir);
  const conf = join(dir, "conf");
  const stopPassword = newPassword();
  mkdirSync(conf, { recursive: true, mode: 0o700 });
  writePrivate(
    join(conf, "config.xml"),
    configXml({ dir, port, log: log.replace(/(\.log)?$/, "-server.log"), ...(more === undefined ? {} : { more }) }),
  );
  writePrivate(join(conf, "users.xml"), usersXml({ database, passwordOf, stopPassword, others }));
  writePrivate(join(conf, "stopper"), stopPassword);

  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: "clickhouse",
    command: process.execPath,
    args: [engine, dir, String(port)],
    log,
    cwd: dir,
    env: { ...process.env, [diskKeyVariable]: diskKey },
  });
  const answers = () =>
    fetch(`${url}/ping`).then(
      (response) => response.ok,
      () => false,
    );
  await untilReady(child, answers, 60_000);
  return { ...child, url };
};
