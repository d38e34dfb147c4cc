import { field, kafkaShape, notifyShape, storageShape, takeoutShape } from "@astralog/chassis";
import { planNames } from "@astralog/schemas";
import { isContact, wrongDocument, wrongExpiry } from "./http/security-txt.ts";

export const shape = {
  ...kafkaShape,
  ...notifyShape,
  ...storageShape,
  STORAGE_AWS_PRINCIPAL: field.text(
    "ARN that customers' roles must trust: the user or role of STORAGE_AWS_ACCESS_KEY_ID; empty: no roles are taken.",
    "",
  ),
  ...takeoutShape,
  TAKEOUT_DAYS: field.integer("How long what was taken out can be fetched.", { min: 1, max: 90 }, "7"),
  TAKEOUT_PART_EVENTS: field.integer("Most events of one of its files.", { min: 100, max: 1_000_000 }, "200000"),
  HTTP_HOST: field.text("Address of the API and the page.", "127.0.0.1"),
  HTTP_PORT: field.port("Port of the API and the page; 0 takes a free one."),
  PUBLIC_URL: field.publicUrl("Where people's browsers find the dashboard: https, or http://localhost."),
  SECURITY_CONTACT: field
    .list(
      "mailto: or https: addresses to tell of a hole here, for /.well-known/security.txt; empty: no such document.",
      "",
    )
    .refine((given) => given.every(isContact), "must be mailto: or https: addresses"),
  SECURITY_EXPIRES: field
    .text("Until when they hold, less than a year ahead, such as 2030-01-31; needed with SECURITY_CONTACT.", "")
    .superRefine((text, { addIssue }) => {
      const message = wrongExpiry(text);
      if (message !== undefined) addIssue({ code: "custom", message });
    }),
  SECURITY_TXT: field
    .text("The whole of security.txt instead, such as one that you signed with OpenPGP; served as it is.", "")
    .superRefine((text, { addIssue }) => {
      const message = wrongDocument(text);
      if (message !== undefined) addIssue({ code: "custom", message });
    }),
  TRUSTED_PROXIES: field.list("Addresses or CIDR blocks whose X-Forwarded-For is believed.", ""),
  POSTGRES_URL: field.secret(
    "postgres://user:password@host:port/database, of a login that owns no table (docs/audit.md).",
  ),
  CLICKHOUSE_URL: field.url("ClickHouse over HTTP."),
  CLICKHOUSE_DATABASE: field.text("The database of the tables.", "astralog"),
  CLICKHOUSE_QUERY_USERNAME: field.text("The user whose row filter shows one tenant.", "astralog_query"),
  CLICKHOUSE_QUERY_PASSWORD: field.secret("Its password."),
  CLICKHOUSE_EXPORT_USERNAME: field.text("The same for exports, which may take longer.", "astralog_export"),
  CLICKHOUSE_EXPORT_PASSWORD: field.secret("Its password."),
  CLICKHOUSE_BUCKET_USERNAME: field.text("The user that searches tenants' own buckets.", "astralog_bucket"),
  CLICKHOUSE_BUCKET_PASSWORD: field.secret("Its password; empty: no bucket can be searched.", ""),
  CLICKHOUSE_LEDGER_USERNAME: field.text("The user that verify reads with, across tenants.", "astralog_ledger"),
  CLICKHOUSE_LEDGER_PASSWORD: field.secret("Its password."),
  DEAD_LETTER_KEY: field.key256("Key that dead letters are encrypted with; the redactor has the same."),
  AUDIT_SIGNING_KEY: field.key256("Seed of the Ed25519 key that signs the audit trails' heads."),
  SECRETS_KEY: field.key256("Key that the keys of what Postgres must not tell are wrapped with."),
  SECRETS_KEYS_BEFORE: field.keys256("Keys that were SECRETS_KEY before; the api wraps anew at its start.", ""),
  SESSION_IDLE_MINUTES: field.integer(
    "A session ends when nobody used it for so long.",
    { min: 1, max: 43_200 },
    "720",
  ),
  SESSION_HOURS: field.integer("A session ends after so long in any case.", { min: 1, max: 8_760 }, "168"),
  DEFAULT_PLAN: field.choice("Plan of an organization that somebody makes; free, team, …", planNames, "enterprise"),
  REDACTOR_GROUP: field.text("Consumer group of the redactor, for verify.", "redactor"),
  SINK_GROUP: field.text("Consumer group of the sink, for verify.", "sink.shared"),
  SECRET_SCANNING_KEYS_URL: field.text(
    "Where GitHub publishes the keys it signs found secrets with, https; empty closes that endpoint.",
    "",
  ),
  SECRET_SCANNING_KEYS: field.text("The document of that address itself, for a network that lets nothing out.", ""),
  DNS_SERVERS: field.list("Servers asked for the records that prove a domain; empty asks the machine's.", ""),
  GITHUB_CLIENT_ID: field.text("Of a GitHub OAuth app that signs people in; empty offers no such way.", ""),
  GITHUB_CLIENT_SECRET: field.secret("Its secret.", ""),
  GITHUB_URL: field.url("GitHub, or a GitHub Enterprise Server.", "https://github.com"),
  GITHUB_API_URL: field.url("Its API.", "https://api.github.com"),
  GOOGLE_CLIENT_ID: field.text("Of a Google OAuth client that signs people in; empty offers no such way.", ""),
  GOOGLE_CLIENT_SECRET: field.secret("Its secret.", ""),
  GOOGLE_AUTHORIZATION_URL: field.url("Where Google asks people.", "https://accounts.google.com/o/oauth2/v2/auth"),
  GOOGLE_TOKEN_URL: field.url("Where Google gives tokens.", "https://oauth2.googleapis.com/token"),
  GOOGLE_USERINFO_URL: field.url("Where Google tells who it was.", "https://openidconnect.googleapis.com/v1/userinfo"),
  KAFKA_PRODUCERS_USERNAME: field.text("The Kafka user that manages native producers.", "producers"),
  KAFKA_PRODUCERS_PASSWORD: field.secret("Its password; empty turns native producers off.", ""),
  KAFKA_PRODUCERS_BROKERS: field.list("Brokers as producers outside reach them, over TLS; empty: KAFKA_BROKERS.", ""),
  KAFKA_PRODUCERS_REGISTRY_URL: field.text("The registry as producers outside reach it; empty: REGISTRY_URL.", ""),
  KAFKA_REPLICATION: field.integer("Copies of each native topic's partitions.", { min: 1, max: 9 }, "1"),
  SEARCH_SECONDS: field.integer("Longest time a search may take.", { min: 1, max: 30 }, "20"),
  PUBLIC_RECEIVER_URL: field.text(
    "Where people send events to, as the first steps show it; empty shows an example.",
    "",
  ),
  SEARCH_ROWS: field.integer("Rows one query may read.", { min: 1000, max: 100_000_000_000 }, "2000000000"),
  SEARCHES_PER_TENANT: field.integer("Queries one organization may run at once.", { min: 1, max: 64 }, "8"),
  SEARCHES_AT_ONCE: field.integer("Queries of all organizations together.", { min: 1, max: 64 }, "24"),
  SEARCH_PATIENCE_SECONDS: field.integer("How long a query may wait for its turn.", { min: 1, max: 60 }, "10"),
  ALERT_HISTORY_DAYS: field.integer(
    "Incidents that are over, and what was sent, are kept for so long.",
    { min: 7, max: 3_650 },
    "90",
  ),
  KEY_USES_SECONDS: field.integer("Seconds between telling which keys were used.", { min: 1, max: 3600 }, "60"),
  REQUESTS_PER_MINUTE: field.integer("Requests one key may make.", { min: 1, max: 1_000_000 }, "3000"),
  REFUSALS_PER_MINUTE: field.integer("Refused keys one address may try.", { min: 1, max: 1_000_000 }, "120"),
};
