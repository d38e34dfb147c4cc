// Prints an .env for docker-compose.kafka.yml with passwords of its own: node deploy/docker/make-env.mjs > .env
// There are no default passwords; compose refuses to start without them.
import { randomBytes } from "node:crypto";

const say = (line) => process.stdout.write(`${line}\n`);
const password = () => randomBytes(24).toString("hex");

say("# Keep this file to yourself: it opens everything.");
for (const name of [
  "KAFKA_ADMIN_PASSWORD",
  "KAFKA_BROKER_PASSWORD",
  "KAFKA_RECEIVER_PASSWORD",
  "KAFKA_REDACTOR_PASSWORD",
  "KAFKA_SINK_PASSWORD",
  "KAFKA_ARCHIVE_PASSWORD",
  "KAFKA_ALERTER_PASSWORD",
  "KAFKA_RETENTION_PASSWORD",
  "KAFKA_BACKUP_PASSWORD",
  "KAFKA_API_PASSWORD",
  "KAFKA_PRODUCERS_PASSWORD",
  "CLICKHOUSE_OWNER_PASSWORD",
  "CLICKHOUSE_ADMIN_PASSWORD",
  "CLICKHOUSE_SINK_PASSWORD",
  "CLICKHOUSE_ARCHIVE_PASSWORD",
  "CLICKHOUSE_QUERY_PASSWORD",
  "CLICKHOUSE_EXPORT_PASSWORD",
  "CLICKHOUSE_BUCKET_PASSWORD",
  "CLICKHOUSE_LEDGER_PASSWORD",
  "CLICKHOUSE_RETENTION_PASSWORD",
  "CLICKHOUSE_BACKUP_PASSWORD",
  "POSTGRES_PASSWORD",
  "POSTGRES_API_PASSWORD",
])
  say(`${name}=${password()}`);
for (const name of ["DEAD_LETTER_KEY", "AUDIT_SIGNING_KEY", "SECRETS_KEY", "ALERTS_KEY", "STORAGE_KEY", "BACKUP_KEY"])
  say(`${name}=${randomBytes(32).toString("base64")}`);
say("# Where browsers find the dashboard: https behind a proxy that ends TLS, or this machine.");
say("PUBLIC_URL=http://localhost:4300");
say("# The server that takes mail, smtp:// or smtps://; until there is one, mail waits.");
say("MAIL_URL=");
say("MAIL_FROM=Astralog <astralog@localhost>");
say("# The bucket for backups, which --profile backup makes: put yours here. docs/backups.md has more.");
say("BACKUP_ENDPOINT=https://s3.us-east-1.amazonaws.com");
say("BACKUP_REGION=us-east-1");
say("BACKUP_BUCKET=astralog-backups");
say("BACKUP_ACCESS_ID=nobody");
say(`BACKUP_SECRET_ACCESS_KEY=${password()}`);
say("# What other machines call this one.");
say("ASTRALOG_HOST=localhost");
