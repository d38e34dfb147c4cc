/** Which environment each service gets on a stack: its own Kafka user, its own ClickHouse user, and nothing it need not know. */
import type { Principal } from "@astralog/schemas";
import type { Addresses } from "./stack.ts";

export const serviceNames = [
  "receiver",
  "redactor",
  "sink",
  "archive",
  "alerter",
  "retention",
  "backup",
  "api",
] as const satisfies readonly Principal[];
export type ServiceName = (typeof serviceNames)[number];

export interface Deployment {
  readonly addresses: Addresses;
  readonly topicPrefix: string;
  /** With the database of this deployment, as its tables' owner. */
  readonly postgresUrl: string;
  /** What the api connects as; provisioning makes it. */
  readonly postgresLogin: { readonly username: string; readonly password: string };
  /** Base64 of the 32 bytes that dead letters are encrypted with. */
  readonly deadLetterKey: string;
  /** Base64 of the 32 bytes that the key of the audit trails is made from. */
  readonly auditSigningKey: string;
  /** Base64 of the 32 bytes that the keys of sealed columns are wrapped with. */
  readonly secretsKey: string;
  /** Base64 of the 32 bytes that the secrets of alerts' destinations are sealed with. */
  readonly alertsKey: string;
  /** Base64 of the 32 bytes that the keys of tenants' buckets are sealed with. */
  readonly storageKey: string;
  /** Base64 of the 32 bytes that backups are sealed with. */
  readonly backupKey: string;
  /** Where backups go; without it none are made. */
  readonly backups?: BackupBucket;
  /** Where api and retention keep what organizations take out. */
  readonly takeoutFolder: string;
  /** Where mail goes; empty keeps it. */
  readonly mailUrl: string;
}

export interface BackupBucket {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

type Env = Record<string, string>;

const kafkaEnv = ({ addresses, topicPrefix }: Deployment, user: Principal | "admin"): Env => ({
  KAFKA_BROKERS: addresses.kafka.brokers,
  KAFKA_USERNAME: user,
  KAFKA_PASSWORD: addresses.kafka.users[user] ?? "",
  KAFKA_TLS: "false",
  KAFKA_TOPIC_PREFIX: topicPrefix,
  REGISTRY_URL: addresses.registry.url,
});

const clickhouseEnv = ({ addresses }: Deployment, users: Readonly<Record<string, string>>): Env => {
  const { url, database, users: passwords } = addresses.clickhouse;
  const env: Env = { CLICKHOUSE_URL: url, CLICKHOUSE_DATABASE: database };
  for (const [prefix, user] of Object.entries(users)) {
    env[`CLICKHOUSE_${prefix}USERNAME`] = user;
    env[`CLICKHOUSE_${prefix}PASSWORD`] = passwords[user] ?? "";
  }
  return env;
};

/** What provision.ts runs with: the administrators of all four servers. */
export const provisionEnv = (deployment: Deployment): Env => ({
  ...kafkaEnv(deployment, "admin"),
  ...clickhouseEnv(deployment, { "": "astralog_admin" }),
  POSTGRES_URL: deployment.postgresUrl,
  POSTGRES_API_USERNAME: deployment.postgresLogin.username,
  POSTGRES_API_PASSWORD: deployment.postgresLogin.password,
});

/** What opens the bucket of backups. */
const vaultEnv = ({ backups, backupKey }: Deployment): Env => {
  if (backups === undefined) return { BACKUP_KEY: backupKey };
  return {
    ...{ BACKUP_KIND: "compatible", BACKUP_ENDPOINT: backups.endpoint, BACKUP_BUCKET: backups.bucket },
    ...{ BACKUP_ACCESS_KEY_ID: backups.accessKeyId, BACKUP_SECRET_ACCESS_KEY: backups.secretAccessKey },
    BACKUP_KEY: backupKey,
  };
};

/** What restore.ts runs with. */
export const restoreEnv = (deployment: Deployment): Env => ({
  ...kafkaEnv(deployment, "admin"),
  ...clickhouseEnv(deployment, { "": "astralog_admin" }),
  ...vaultEnv(deployment),
  POSTGRES_URL: deployment.postgresUrl,
});

const postgresUrlOfApi = ({ postgresUrl, postgresLogin }: Deployment): string =>
  Object.assign(new URL(postgresUrl), postgresLogin).href;

export interface ListenPorts {
  readonly https: number;
  readonly http: number;
  readonly api: number;
}

/** By this name browsers keep the cookies and passkeys that an address in digits, or plain HTTP elsewhere, would not get. */
export const publicUrl = ({ api }: Pick<ListenPorts, "api">): string => `http://localhost:${api}`;

export const serviceEnv = (
  name: ServiceName,
  deployment: Deployment,
  ports: ListenPorts,
  httpsHost = "127.0.0.1",
): Env => {
  const { addresses, deadLetterKey, auditSigningKey, secretsKey, alertsKey, storageKey, mailUrl } = deployment;
  const kafka = kafkaEnv(deployment, name);
  switch (name) {
    case "receiver":
      return {
        ...kafka,
        HTTPS_HOST: httpsHost,
        HTTPS_PORT: String(ports.https),
        TLS_CERT_FILE: addresses.tls.certFile,
        TLS_KEY_FILE: addresses.tls.keyFile,
        HTTP_HOST: "127.0.0.1",
        HTTP_PORT: String(ports.http),
      };
    case "redactor":
      return { ...kafka, DEAD_LETTER_KEY: deadLetterKey };
    case "sink":
      return { ...kafka, ...clickhouseEnv(deployment, { "": "astralog_sink" }) };
    case "archive":
      return { ...kafka, ...clickhouseEnv(deployment, { "": "astralog_archive" }), STORAGE_KEY: storageKey };
    case "alerter":
      return { ...kafka, ALERTS_KEY: alertsKey, MAIL_URL: mailUrl, PUBLIC_URL: publicUrl(ports) };
    case "retention":
      return {
        ...{ ...kafka, ...clickhouseEnv(deployment, { "": "astralog_retention" }), STORAGE_KEY: storageKey },
        TAKEOUT_FOLDER: deployment.takeoutFolder,
        // The default of backups.
        BACKUP_KEEP_DAYS: deployment.backups === undefined ? "0" : "14",
      };
    case "backup":
      return {
        ...kafka,
        ...clickhouseEnv(deployment, { "": "astralog_backup" }),
        ...vaultEnv(deployment),
        POSTGRES_URL: deployment.postgresUrl,
      };
    case "api":
      return {
        ...kafka,
        ...clickhouseEnv(deployment, {
          QUERY_: "astralog_query",
          EXPORT_: "astralog_export",
          BUCKET_: "astralog_bucket",
          LEDGER_: "astralog_ledger",
        }),
        POSTGRES_URL: postgresUrlOfApi(deployment),
        DEAD_LETTER_KEY: deadLetterKey,
        AUDIT_SIGNING_KEY: auditSigningKey,
        KAFKA_PRODUCERS_PASSWORD: addresses.kafka.users.producers ?? "",
        KAFKA_PRODUCERS_BROKERS: addresses.kafka.tlsBrokers,
        SECRETS_KEY: secretsKey,
        ALERTS_KEY: alertsKey,
        STORAGE_KEY: storageKey,
        TAKEOUT_FOLDER: deployment.takeoutFolder,
        MAIL_URL: mailUrl,
        PUBLIC_URL: publicUrl(ports),
        HTTP_HOST: "127.0.0.1",
        HTTP_PORT: String(ports.api),
        PUBLIC_RECEIVER_URL: `http://127.0.0.1:${ports.http}`,
      };
  }
};
