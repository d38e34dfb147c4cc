/**
 * A Kafka broker from Maven's jars: one KRaft node with SCRAM users, ACLs and a TLS listener. What it acknowledged
 * survives kill -9; a start on the same folder goes on where it was.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type Child, startChild, untilReady } from "./child.ts";
import { archiveFlag } from "./java-archive.ts";
import { kafkaProperties } from "./kafka-config.ts";
import { tools } from "./paths.ts";
import { writePrivate } from "./secrets.ts";

export interface KafkaOptions {
  readonly dir: string;
  readonly log: string;
  readonly ports: { readonly internal: number; readonly external: number; readonly controller: number };
  readonly externalHost?: string;
  readonly externalName?: string;
  /** PEM texts of the TLS listener. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** SCRAM users and their passwords; `admin` and `broker` are super-users, the rest may do what ACLs allow. */
  readonly users: Readonly<Record<string, string>>;
  /** Where to make a class archive, instead of using the one there is. */
  readonly archive?: string;
}

export interface Kafka extends Child {
  readonly brokers: string;
  readonly tlsBrokers: string;
}

const logging = `-Dlog4j2.configurationFile=${fileURLToPath(new URL("kafka-log4j2.properties", import.meta.url))}`;
// A request's buffer of a megabyte and more is humongous to G1 on such a heap, and each few of them make it mark anew: of
// the 6 to 8 CPU seconds that the broker took per million events, G1 took 2 to 5. With Serial it takes about 3 in all.
const heap = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true"];
const classpath = ["-cp", `${join(tools, "kafka")}/*`];

/**
 * Runs one of Kafka's tools. Its arguments go through a file because they hold passwords, which a process list would
 * show; its output is dropped unless it fails, and then shown without them.
 */
const runTool = async (
  dir: string,
  mainClass: string,
  args: readonly string[],
  secrets: readonly string[],
): Promise<void> => {
  const file = join(dir, `${randomBytes(6).toString("hex")}.args`);
  const quoted = [...classpath, "-Dlog4j2.level=error", mainClass, ...args].map(
    (arg) => `"${arg.replaceAll(/["\\]/g, "\\$&")}"`,
  );
  writePrivate(file, `${quoted.join("\n")}\n`);
  const java = spawn("java", ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", `@${file}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise((resolve, reject) => java.once("close", resolve).once("error", reject));
  const [status, ...outputs] = await Promise.all([code, text(java.stdout), text(java.stderr)]);
  rmSync(file);
  if (status === 0) return;
  let said = outputs.join("\n");
  for (const secret of secrets) said = said.replaceAll(secret, "***");
  throw new Error(`${mainClass} failed (${String(status)}):\n${said}`);
};

const scram = (users: Readonly<Record<string, string>>): string[] =>
  Object.entries(users).flatMap(([name, password]) => [
    "--add-scram",
    `SCRAM-SHA-256=[name=${name},password=${password}]`,
  ]);

export const startKafka = async (options: KafkaOptions): Promise<Kafka> => {
  const { dir, log, ports, users, tls, archive, externalHost = "127.0.0.1", externalName = "localhost" } = options;
  const dataDir = join(dir, "data");
  const properties = join(dir, "server.properties");
  const keyStore = join(dir, "external.pem");
  const usersFile = join(dir, "users.json");
  const secrets = Object.values(users);
  mkdirSync(dir, { recursive: true, mode: 0o700 });

  writePrivate(keyStore, `${tls.key.trimEnd()}\n${tls.cert.trimEnd()}\n`);
  const passwordOf = (name: string): string => users[name] ?? "";
  writePrivate(
    properties,
    kafkaProperties({
      dataDir,
      ports,
      externalHost,
      externalName,
      keyStore,
      brokerPassword: passwordOf("broker"),
      // The controller listener has one user, itself; its password may change at every start.
      controllerPassword: randomBytes(24).toString("hex"),
    }),
  );
  if (!existsSync(usersFile)) {
    // A leading "-" would read as an option.
    const clusterId = randomBytes(16).toString("base64url").replace(/^-/, "A");
    await runTool(
      dir,
      "kafka.tools.StorageTool",
      ["format", "--ignore-formatted", "-t", clusterId, "-c", properties, ...scram(users)],
      secrets,
    );
    writePrivate(usersFile, JSON.stringify(Object.keys(users)));
  }

  const child = await startChild({
    name: "kafka",
    command: "java",
    args: [archiveFlag("kafka", archive), ...heap, logging, ...classpath, "kafka.Kafka", properties],
    log,
    cwd: dir,
  });
  await untilReady(child, () => child.output().includes("Kafka Server started"), 60_000);

  const known = new Set(JSON.parse(readFileSync(usersFile, "utf8")) as string[]);
  const added = Object.entries(users).filter(([name]) => !known.has(name));
  if (added.length > 0) {
    await addUsers(dir, `127.0.0.1:${ports.internal}`, passwordOf("admin"), added, secrets);
    writePrivate(usersFile, JSON.stringify(Object.keys(users)));
  }
  return { ...child, brokers: `127.0.0.1:${ports.internal}`, tlsBrokers: `${externalName}:${ports.external}` };
};

/** For users that are newer than the data: format makes users only once. */
const addUsers = async (
  dir: string,
  brokers: string,
  adminPassword: string,
  users: readonly (readonly [string, string])[],
  secrets: readonly string[],
): Promise<void> => {
  const client = join(dir, "admin.properties");
  writePrivate(
    client,
    `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="${adminPassword}";\n`,
  );
  for (const [name, password] of users) {
    const change = [
      "--alter",
      "--add-config",
      `SCRAM-SHA-256=[password=${password}]`,
      "--entity-type",
      "users",
      "--entity-name",
      name,
    ];
    await runTool(
      dir,
      "kafka.admin.ConfigCommand",
      ["--bootstrap-server", brokers, "--command-config", client, ...change],
      secrets,
    );
  }
};
