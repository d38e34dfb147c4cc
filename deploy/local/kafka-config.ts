/**
 * server.properties of the embedded broker: one KRaft node that is broker and controller, open only to known users, and
 * only for what an ACL allows.
 *
 *   INTERNAL    SASL_PLAINTEXT on loopback: our services
 *   EXTERNAL    SASL_SSL: producers outside
 *   CONTROLLER  SASL_PLAINTEXT on loopback: the node itself
 */
export interface KafkaSettings {
  readonly dataDir: string;
  readonly ports: { readonly internal: number; readonly external: number; readonly controller: number };
  /** Where INTERNAL listens: loopback, unless the broker is in a container of its own. */
  readonly internalHost?: string;
  readonly internalName?: string;
  /** Where EXTERNAL listens, and the name it tells its clients. */
  readonly externalHost: string;
  readonly externalName: string;
  /** PEM: the private key followed by the certificate chain. */
  readonly keyStore: string;
  readonly brokerPassword: string;
  readonly controllerPassword: string;
}

const module = (name: "Plain" | "Scram", fields: Record<string, string> = {}): string =>
  `org.apache.kafka.common.security.${name.toLowerCase()}.${name}LoginModule required${Object.entries(fields)
    .map(([key, value]) => ` ${key}="${value}"`)
    .join("")};`;

export const kafkaProperties = (settings: KafkaSettings): string => {
  const { ports, internalHost = "127.0.0.1", internalName = "127.0.0.1" } = settings;
  const lines: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${ports.controller}`,
    listeners: `INTERNAL://${internalHost}:${ports.internal},EXTERNAL://${settings.externalHost}:${ports.external},CONTROLLER://127.0.0.1:${ports.controller}`,
    "advertised.listeners": `INTERNAL://${internalName}:${ports.internal},EXTERNAL://${settings.externalName}:${ports.external}`,
    "listener.security.protocol.map": "INTERNAL:SASL_PLAINTEXT,EXTERNAL:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
    "inter.broker.listener.name": "INTERNAL",
    "controller.listener.names": "CONTROLLER",
    "sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-256",
    "sasl.mechanism.controller.protocol": "PLAIN",
    "listener.name.internal.scram-sha-256.sasl.jaas.config": module("Scram", {
      username: "broker",
      password: settings.brokerPassword,
    }),
    "listener.name.external.scram-sha-256.sasl.jaas.config": module("Scram"),
    "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.controller.plain.sasl.jaas.config": module("Plain", {
      username: "controller",
      password: settings.controllerPassword,
      user_controller: settings.controllerPassword,
    }),
    "listener.name.external.ssl.keystore.type": "PEM",
    "listener.name.external.ssl.keystore.location": settings.keyStore,
    "ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": "User:admin;User:broker;User:controller",
    "log.dirs": settings.dataDir,
    "auto.create.topics.enable": "false",
    // A broker killed with -9 is fenced until its old session ends: 9 s by default, and a restart waits for it.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    "group.initial.rebalance.delay.ms": 0,
    // One node: what is internal cannot have more copies than one.
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 8,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "log.retention.check.interval.ms": 60_000,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
};
