import type { Command } from "commander";
import type { Producer } from "../api.ts";
import type { Cli } from "../cli.ts";
import { table } from "../table.ts";
import { printable } from "../text.ts";
import { readSpan } from "../times.ts";
import { findSource, listSources } from "./sources.ts";

/** A producer as it was made: the one time its password is seen, and how to reach the cluster. */
type MadeProducer = Producer & {
  password: string;
  schema_id: number;
  brokers: string;
  tls: boolean;
  registry: string;
};

const paused = {
  source_disabled: "paused: the source is disabled",
  over_plan: "paused: the plan has no Kafka producers",
  quota_exhausted: "paused: the day's volume is used up",
} as const;

const state = ({ revoked_at, expires_at, paused: why }: Producer, now: number): string => {
  if (revoked_at !== null) return `revoked ${revoked_at}`;
  if (expires_at !== null && Date.parse(expires_at) <= now) return `expired ${expires_at}`;
  if (why !== null) return paused[why];
  return expires_at === null ? "on" : `until ${expires_at}`;
};

/** What a person needs to send the first event. */
const explain = (made: MadeProducer): string => {
  const protocol = made.tls ? "SASL_SSL" : "SASL_PLAINTEXT";
  const kcat = [
    `kcat -P -b ${made.brokers} -t ${made.topic}`,
    `-X security.protocol=${protocol} -X sasl.mechanism=SCRAM-SHA-256`,
    ...(made.tls ? ["-X ssl.ca.location=ca.pem"] : []),
    `-X sasl.username=${made.username} -X sasl.password=${made.password}`,
  ].join(" \\\n  ");
  return `brokers   ${made.brokers} (${protocol}, SCRAM-SHA-256)
topic     ${made.topic}
user      ${made.username}
password  ${made.password}
schema    ${made.registry}, subject ${made.topic}-value, id ${made.schema_id}

It is shown this once.${made.tls ? " ca.pem is the authority's certificate, here the file that `ca` names in .astralog/run.json." : ""} JSON from a terminal (kcat with librdkafka 2.6.1 or newer):

echo '{"message":"hello from kafka"}' | ${kcat}
`;
};

const help = `
The producer writes Avro Event records in Confluent's wire format, EventBatch records, or JSON, to its source's own topic
and to no other. See docs/native-producers.md.`;

/** `producers list | create | rotate | revoke`. */
export const addProducers = (program: Command, cli: Cli): void => {
  const { terminal, api, now } = cli;
  const producers = program
    .command("producers")
    .summary("let sources write to Kafka themselves")
    .description("Kafka-native producers: users of the cluster that write to their source's own topic.")
    .addHelpText("after", help);
  const printNew = (made: MadeProducer, json: true | undefined): void =>
    terminal().out(json === true ? `${JSON.stringify(made)}\n` : explain(made));

  producers
    .command("list", { isDefault: true })
    .description("Lists the producers.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const [{ producers: list }, sources] = await Promise.all([
        api().call<{ producers: Producer[] }>("GET", "producers", "admin"),
        listSources(cli),
      ]);
      if (json === true) {
        for (const producer of list) terminal().out(`${JSON.stringify(producer)}\n`);
        return;
      }
      const nameOf = (id: string): string => sources.find((source) => source.id === id)?.name ?? id;
      const rows = list.map((one) => [
        one.id,
        printable(nameOf(one.source)),
        one.username,
        printable(one.name),
        state(one, now()),
      ]);
      terminal().out(table(["ID", "SOURCE", "USER", "NAME", "STATE"], rows));
    });

  producers
    .command("create")
    .description("Makes a Kafka user for a source, and its topic when it has none.")
    .requiredOption("--source <source>", "the source it sends for, by name or id")
    .option("--name <name>", "what it is for")
    .option("--expires-in <span>", "when it ends by itself, such as 90d")
    .option("--json", "print it as JSON")
    .action(async (options: { source: string; name?: string; expiresIn?: string; json?: true }) => {
      const { id } = await findSource(cli, options.source);
      const { expiresIn } = options;
      const made = await api().call<MadeProducer>("POST", "producers", "admin", {
        source: id,
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(expiresIn === undefined
          ? {}
          : { expires_at: new Date(now() + readSpan(expiresIn, "--expires-in") * 1000).toISOString() }),
      });
      printNew(made, options.json);
    });

  producers
    .command("rotate")
    .description("Makes a user like an old one, which ends after the overlap.")
    .argument("<id>", "the old producer's id, prd_…")
    .option("--overlap <span>", "how long both are good; 0 ends the old one at once", "24h")
    .option("--json", "print it as JSON")
    .action(async (id: string, options: { overlap: string; json?: true }) => {
      const overlap_seconds = readSpan(options.overlap, "--overlap");
      const path = `producers/${encodeURIComponent(id)}/rotate`;
      printNew(await api().call<MadeProducer>("POST", path, "admin", { overlap_seconds }), options.json);
    });

  producers
    .command("revoke")
    .description("Ends a producer at once, for good: Kafka refuses what it sends from then on.")
    .argument("<id...>", "producer ids, prd_…")
    .action(async (ids: string[]) => {
      for (const id of ids) {
        await api().call("DELETE", `producers/${encodeURIComponent(id)}`, "admin");
        terminal().err(`${id} is revoked; Kafka takes nothing more from it\n`);
      }
    });
};
