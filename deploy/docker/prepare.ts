/**
 * For docker-compose.kafka.yml: writes what Kafka and the receiver read from files into the volume /config, the first
 * time only. The certificates and the broker's settings come from the same code as the embedded stack's.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { field, loadConfig, oneShot } from "@astralog/chassis";
import { principals } from "@astralog/schemas";
import { kafkaProperties } from "../local/kafka-config.ts";
import { newPassword, writePrivate } from "../local/secrets.ts";
import { makeTls } from "../local/tls.ts";

const shape = {
  CONFIG_DIR: field.text("Folder that is written.", "/config"),
  ASTRALOG_HOST: field.text("What clients outside call this machine.", "localhost"),
  KAFKA_ADMIN_PASSWORD: field.secret("Of Kafka's administrator."),
  KAFKA_BROKER_PASSWORD: field.secret("Of the broker itself."),
  KAFKA_RECEIVER_PASSWORD: field.secret("Of the receiver."),
  KAFKA_REDACTOR_PASSWORD: field.secret("Of the redactor."),
  KAFKA_SINK_PASSWORD: field.secret("Of the sink."),
  KAFKA_ARCHIVE_PASSWORD: field.secret("Of the archive."),
  KAFKA_ALERTER_PASSWORD: field.secret("Of the alerter."),
  KAFKA_RETENTION_PASSWORD: field.secret("Of retention."),
  KAFKA_BACKUP_PASSWORD: field.secret("Of backups."),
  KAFKA_API_PASSWORD: field.secret("Of the api."),
  KAFKA_PRODUCERS_PASSWORD: field.secret("Of the api where it manages Kafka-native producers."),
};

/** Formats the log folder once, with the SCRAM users, and becomes the broker. StorageTool would print their passwords. */
const startScript = (users: Readonly<Record<string, string>>): string =>
  [
    "#!/bin/sh",
    "set -e",
    "/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t AstralogComposeClustr0 -c /config/server.properties \\",
    ...Object.entries(users).map(
      ([name, password]) => `  --add-scram 'SCRAM-SHA-256=[name=${name},password=${password}]' \\`,
    ),
    "  > /dev/null",
    "exec /opt/kafka/bin/kafka-server-start.sh /config/server.properties",
    "",
  ].join("\n");

await oneShot("prepare", async () => {
  const config = loadConfig(shape);
  const dir = config.CONFIG_DIR;
  const tls = await makeTls(dir, config.ASTRALOG_HOST);
  writePrivate(
    join(dir, "external.pem"),
    `${readFileSync(tls.keyFile, "utf8")}\n${readFileSync(tls.certFile, "utf8")}`,
  );
  const controllerPassword = join(dir, "controller-password");
  if (!existsSync(controllerPassword)) writePrivate(controllerPassword, newPassword());
  const users: Record<string, string> = { admin: config.KAFKA_ADMIN_PASSWORD, broker: config.KAFKA_BROKER_PASSWORD };
  for (const name of principals) users[name] = config[`KAFKA_${name.toUpperCase() as Uppercase<typeof name>}_PASSWORD`];
  writePrivate(
    join(dir, "server.properties"),
    kafkaProperties({
      dataDir: "/var/lib/kafka/data",
      ports: { internal: 9092, external: 9094, controller: 9093 },
      internalHost: "0.0.0.0",
      internalName: "kafka",
      externalHost: "0.0.0.0",
      externalName: config.ASTRALOG_HOST,
      keyStore: "/config/external.pem",
      brokerPassword: config.KAFKA_BROKER_PASSWORD,
      controllerPassword: readFileSync(controllerPassword, "utf8"),
    }),
  );
  writePrivate(join(dir, "start-kafka.sh"), startScript(users));
});
