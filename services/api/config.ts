import { field, kafkaShape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
  HTTP_HOST: field.text("Address of the API and the page.", "127.0.0.1"),
  HTTP_PORT: field.port("Port of the API and the page; 0 takes a free one."),
  TRUSTED_PROXIES: field.list("Addresses or CIDR blocks whose X-Forwarded-For is believed.", ""),
  POSTGRES_URL: field.secret("postgres://user:password@host:port/database."),
  CLICKHOUSE_URL: field.url("ClickHouse over HTTP."),
  CLICKHOUSE_DATABASE: field.text("The database of the tables.", "astralog"),
  CLICKHOUSE_QUERY_USERNAME: field.text("The user whose row filter shows one tenant.", "astralog_query"),
  CLICKHOUSE_QUERY_PASSWORD: field.secret("Its password."),
  CLICKHOUSE_LEDGER_USERNAME: field.text("The user that verify reads with, across tenants.", "astralog_ledger"),
  CLICKHOUSE_LEDGER_PASSWORD: field.secret("Its password."),
  DEAD_LETTER_KEY: field.key256("Key that dead letters are encrypted with; the redactor has the same."),
  AUDIT_SIGNING_KEY: field.key256("Seed of the Ed25519 key that signs the audit trails' heads."),
  REDACTOR_GROUP: field.text("Consumer group of the redactor, for verify.", "redactor"),
  SINK_GROUP: field.text("Consumer group of the sink, for verify.", "sink.shared"),
  SECRET_SCANNING_KEYS_URL: field.text(
    "Where GitHub publishes the keys it signs found secrets with, https; empty closes that endpoint.",
    "",
  ),
  SECRET_SCANNING_KEYS: field.text("The document of that address itself, for a network that lets nothing out.", ""),
  OUTGOING_ALLOWED: field.list(
    "CIDR blocks that customers' addresses may lead to though they are not public, such as one's own identity provider's.",
    "",
  ),
  SEARCH_SECONDS: field.integer("Longest time a search may take.", { min: 1, max: 30 }, "20"),
  REQUESTS_PER_MINUTE: field.integer("Requests one key may make.", { min: 1, max: 1_000_000 }, "3000"),
  REFUSALS_PER_MINUTE: field.integer("Refused keys one address may try.", { min: 1, max: 1_000_000 }, "120"),
};
