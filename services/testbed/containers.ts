/**
 * The same four servers in containers: the images a cluster would use, with the same users, rights and TLS listener as
 * the embedded stack, on ports of the Docker host.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  choosePorts,
  kafkaProperties,
  makeTls,
  newPassword,
  type Server,
  type ServerName,
  type Stack,
} from "@astralog/local";
import { principals } from "@astralog/schemas";
import { clickhouseUserNames, usersSql } from "@astralog/schemas/clickhouse";
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import { images } from "./images.ts";

const database = "astralog";
/** May manage users; the table's own users are made by it. */
const owner = "astralog_owner";

const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} did not answer within 60 s`);
    await sleep(100);
  }
};

const answersHttp = (url: string) => (): Promise<boolean> =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );

const answersTcp = (host: string, port: number) => (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => done(true)).once("error", () => done(false));
  });

/** A container as a server that tests may kill, freeze and start again. */
const asServer = async (
  name: ServerName,
  container: StartedTestContainer,
  answers: () => Promise<boolean>,
): Promise<Server> => {
  const docker = (await getContainerRuntimeClient()).container.getById(container.getId());
  const exited = () =>
    docker.wait().then((result: { StatusCode: number }) => ({ code: result.StatusCode, signal: null }));
  return {
    name,
    pid: () => undefined,
    exited,
    stop: () => docker.stop({ t: 10 }),
    kill: () => docker.kill(),
    signal: (which) => void docker.kill({ signal: which }).catch(() => undefined),
    start: async () => {
      await docker.start();
      await until(name, answers);
    },
  };
};

const startKafka = (
  ports: { internal: number; external: number; controller: number },
  host: string,
  users: Record<string, string>,
  tls: { key: string; cert: string },
) => {
  const properties = kafkaProperties({
    dataDir: "/tmp/astralog-kafka",
    ports,
    internalHost: "0.0.0.0",
    internalName: host,
    externalHost: "0.0.0.0",
    externalName: host === "127.0.0.1" ? "localhost" : host,
    keyStore: "/tmp/external.pem",
    brokerPassword: users.broker ?? "",
    controllerPassword: newPassword(),
  });
  const scram = Object.entries(users).map(
    ([name, password]) => `--add-scram 'SCRAM-SHA-256=[name=${name},password=${password}]'`,
  );
  const script = [
    "set -e",
    `/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t AstralogTestbedClustr0 -c /tmp/server.properties ${scram.join(" ")} > /dev/null`,
    "exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties",
  ].join("\n");
  return new GenericContainer(images.kafka)
    .withEnvironment({ KAFKA_HEAP_OPTS: "-Xms256m -Xmx512m" })
    .withCopyContentToContainer([
      { content: properties, target: "/tmp/server.properties" },
      { content: `${tls.key}\n${tls.cert}`, target: "/tmp/external.pem" },
      { content: script, target: "/tmp/start.sh" },
    ])
    .withEntrypoint(["sh", "/tmp/start.sh"])
    .withExposedPorts(
      { container: ports.internal, host: ports.internal },
      { container: ports.external, host: ports.external },
    )
    .withWaitStrategy(Wait.forLogMessage("Kafka Server started"))
    .withStartupTimeout(120_000)
    .start();
};

const startRegistry = (port: number) =>
  new GenericContainer(images.registry)
    .withEnvironment({
      APICURIO_STORAGE_KIND: "sql",
      APICURIO_STORAGE_SQL_KIND: "h2",
      APICURIO_DATASOURCE_URL: "jdbc:h2:file:/tmp/registry;WRITE_DELAY=0",
    })
    .withExposedPorts({ container: 8080, host: port })
    .withWaitStrategy(Wait.forHttp("/apis/ccompat/v7/subjects", 8080))
    .withStartupTimeout(120_000)
    .start();

const startClickHouse = async (
  port: number,
  url: string,
  users: Record<string, string>,
): Promise<StartedTestContainer> => {
  const password = newPassword();
  const container = await new GenericContainer(images.clickhouse)
    .withEnvironment({
      CLICKHOUSE_USER: owner,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: "1",
    })
    .withUlimits({ nofile: { soft: 262_144, hard: 262_144 } })
    .withExposedPorts({ container: 8123, host: port })
    .withWaitStrategy(Wait.forHttp("/ping", 8123))
    .withStartupTimeout(120_000)
    .start();
  const hash = (user: string) =>
    createHash("sha256")
      .update(users[user] ?? "")
      .digest("hex");
  for (const sql of [`CREATE DATABASE IF NOT EXISTS ${database}`, ...usersSql(database, hash)]) {
    const headers = { "X-ClickHouse-User": owner, "X-ClickHouse-Key": password };
    const response = await fetch(url, { method: "POST", body: sql, headers });
    if (!response.ok) throw new Error(`ClickHouse refused a user or right: ${await response.text()}`);
  }
  return container;
};

const startPostgres = (port: number, password: string) =>
  new GenericContainer(images.postgres)
    .withEnvironment({ POSTGRES_USER: "astralog", POSTGRES_PASSWORD: password, POSTGRES_DB: "postgres" })
    .withExposedPorts({ container: 5432, host: port })
    // The image starts it once to prepare the data and once for good.
    .withWaitStrategy(Wait.forLogMessage("database system is ready to accept connections", 2))
    .withStartupTimeout(120_000)
    .start();

export const startContainers = async (dir: string): Promise<Stack> => {
  const { host: found } = (await getContainerRuntimeClient()).info.containerRuntime;
  const host = found === "localhost" ? "127.0.0.1" : found;
  const ports = await choosePorts({ internal: 0, external: 0, controller: 0, registry: 0, clickhouse: 0, postgres: 0 });
  const passwords = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, newPassword()]));
  const users = {
    kafka: passwords(["admin", "broker", ...principals]),
    clickhouse: passwords(clickhouseUserNames),
    postgres: newPassword(),
  };
  const tls = await makeTls(join(dir, "tls"), host === "127.0.0.1" ? "localhost" : host);
  const urls = {
    registry: `http://${host}:${ports.registry}/apis/ccompat/v7`,
    clickhouse: `http://${host}:${ports.clickhouse}`,
  };
  const pem = { key: readFileSync(tls.keyFile, "utf8"), cert: readFileSync(tls.certFile, "utf8") };

  const [kafka, registry, clickhouse, postgres] = await Promise.all([
    startKafka(ports, host, users.kafka, pem),
    startRegistry(ports.registry),
    startClickHouse(ports.clickhouse, urls.clickhouse, users.clickhouse),
    startPostgres(ports.postgres, users.postgres),
  ]);
  const containers = [kafka, registry, clickhouse, postgres];
  return {
    kafka: {
      brokers: `${host}:${ports.internal}`,
      tlsBrokers: `${host === "127.0.0.1" ? "localhost" : host}:${ports.external}`,
      users: users.kafka,
    },
    registry: { url: urls.registry },
    clickhouse: { url: urls.clickhouse, database, users: users.clickhouse },
    postgres: { url: `postgres://astralog:${users.postgres}@${host}:${ports.postgres}/postgres` },
    tls,
    servers: {
      kafka: await asServer("kafka", kafka, answersTcp(host, ports.internal)),
      registry: await asServer("registry", registry, answersHttp(`${urls.registry}/subjects`)),
      clickhouse: await asServer("clickhouse", clickhouse, answersHttp(`${urls.clickhouse}/ping`)),
      postgres: await asServer("postgres", postgres, answersTcp(host, ports.postgres)),
    },
    stop: async () => void (await Promise.all(containers.map((one) => one.stop({ timeout: 0 })))),
  };
};
