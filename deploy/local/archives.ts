/**
 * Java keeps the parsed classes of a program in an archive and starts in half the time with it (class data sharing). This
 * makes one for Kafka and one for the registry by starting each once, without data, and stopping it. Run by install.mjs.
 * Java ignores an archive that does not fit, so one that is missing or stale costs time and nothing else.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Child } from "./child.ts";
import { startKafka } from "./kafka.ts";
import { state, tools } from "./paths.ts";
import { choosePorts } from "./ports.ts";
import { startRegistry } from "./registry.ts";
import { makeTls } from "./tls.ts";

const dir = mkdtempSync(join(state, "archives-"));

/** The archive is written while the process ends; only a whole one gets its name. */
const record = async (name: string, start: (archive: string) => Promise<Child>): Promise<void> => {
  const made = join(dir, `${name}.jsa`);
  const child = await start(made);
  const exit = await child.stop(60_000);
  // 128 + SIGTERM: Java ended by itself.
  if (exit.code === 143) renameSync(made, join(tools, `${name}.jsa`));
};

try {
  const ports = await choosePorts({ internal: 0, external: 0, controller: 0, registry: 0 });
  const tls = await makeTls(join(dir, "tls"));
  const pem = { key: readFileSync(tls.keyFile, "utf8"), cert: readFileSync(tls.certFile, "utf8") };
  const place = (name: string) => ({ dir: join(dir, name), log: join(dir, `${name}.log`) });
  const users = { admin: "unused", broker: "unused" };
  await Promise.all([
    record("kafka", (archive) => startKafka({ ...place("kafka"), ports, users, tls: pem, archive })),
    record("registry", (archive) => startRegistry({ ...place("registry"), port: ports.registry, archive })),
  ]);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
