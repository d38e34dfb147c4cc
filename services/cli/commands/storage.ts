import { text } from "node:stream/consumers";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { clientKeyIn } from "../client-keys.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { bytes, count, printable } from "../text.ts";
import { readCount } from "../times.ts";
import { addStorageDecrypt } from "./storage-decrypt.ts";

interface Connection {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly archive: boolean;
  readonly retention_days: number | null;
  readonly problem: string;
  readonly client_keys: readonly { readonly id: string }[];
}

interface Archive {
  readonly connection: string;
  readonly state: string;
  readonly lag: number;
  readonly events: number;
  readonly objects: number;
  readonly bytes: number;
  readonly last_object_at: string | null;
  readonly problem: { readonly code: string; readonly detail: string; readonly since: string } | null;
}

interface Options {
  readonly name: string;
  readonly kind: string;
  readonly bucket: string;
  readonly accessKeyId?: string;
  readonly roleArn?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly prefix?: string;
  readonly encryption?: string;
  readonly kmsKey?: string;
  readonly clientKeyFile?: string;
  readonly archive: boolean;
  readonly days?: string;
  readonly json?: true;
}

const help = `
The secret access key is read from standard input, so that it stands in no shell history. See docs/your-own-bucket.md.`;

const state = ({ archive, problem }: Connection): string =>
  problem === "" ? (archive ? "archive" : "connected") : printable(problem);

/** `storage list | connect | identity | status | renew-key | keep | probe | disconnect | decrypt`. */
export const addStorage = (program: Command, cli: Cli): void => {
  const { terminal, api } = cli;
  const keyIn = (file: string): string => {
    const { key, made } = clientKeyIn(file);
    if (made) terminal().err(`${printable(file)} has the new key. Keep it: it reads the bucket without Astralog.\n`);
    return key;
  };
  const path = (id: string): string => `storage/connections/${encodeURIComponent(id)}`;
  const storage = program
    .command("storage")
    .aliases(["bucket", "buckets"])
    .summary("buckets of your own")
    .description("Buckets of the organization's own, which its events are archived in.")
    .addHelpText("after", help);

  storage
    .command("list", { isDefault: true })
    .description("Lists the connections.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const { connections } = await api().call<{ connections: Connection[] }>("GET", "storage/connections", "admin");
      if (json === true) {
        for (const one of connections) terminal().out(`${JSON.stringify(one)}\n`);
        return;
      }
      const rows = connections.map((one) => [
        ...[
          one.id,
          printable(one.name),
          one.kind,
          `${one.bucket}/${one.prefix}`,
          one.client_keys[0]?.id ?? "–",
          state(one),
        ],
      ]);
      terminal().out(table(["ID", "NAME", "KIND", "WHERE", "CLIENT KEY", "STATE"], rows));
    });

  storage
    .command("connect")
    .description("Connects a bucket, when it lets us do what the archive needs.")
    .requiredOption("--name <name>", "what to call it")
    .requiredOption("--kind <kind>", "s3, r2, gcs or compatible")
    .requiredOption("--bucket <bucket>", "its name")
    .option("--access-key-id <id>", "of the key that may use it")
    .option(
      "--role-arn <arn>",
      "of kind s3, instead of a key: a role that trusts what astralog storage identity prints",
    )
    .option("--endpoint <url>", "https://… of the server; s3 and gcs need none")
    .option("--region <region>", "such as eu-central-1; s3 needs it")
    .option("--prefix <prefix>", "folders to stay below, such as logs/astralog/")
    .option("--encryption <kind>", "asked of the server with each object: bucket, AES256 or aws:kms")
    .option("--kms-key <key>", "of aws:kms")
    .option(
      "--client-key-file <file>",
      "encrypt objects before they leave Astralog, under the key in this file; one is made where there is no such file",
    )
    .option("--no-archive", "write nothing there yet")
    .option("--days <days>", "how long events live there, from their receipt; left out: as long as you leave them")
    .option("--json", "print it as JSON")
    .action(async (options: Options) => {
      const { accessKeyId, roleArn, kmsKey, days, json, clientKeyFile, ...rest } = options;
      if ((accessKeyId === undefined) === (roleArn === undefined))
        throw new Failure("Give --access-key-id or --role-arn.", "", 2);
      const settings = {
        ...rest,
        ...(kmsKey === undefined ? {} : { kms_key: kmsKey }),
        ...(days === undefined ? {} : { retention_days: readCount(days, "--days", 1, 3650) }),
      };
      const connect = async (opened: Record<string, string | undefined>): Promise<void> => {
        const encrypted =
          clientKeyFile === undefined ? {} : { client_encryption: true, client_key: keyIn(clientKeyFile) };
        const made = await api().call<Connection>("POST", "storage/connections", "admin", {
          ...{ ...settings, ...opened, ...encrypted },
        });
        terminal().out(json === true ? `${JSON.stringify(made)}\n` : `${made.id}\n`);
      };
      if (roleArn !== undefined) return connect({ role_arn: roleArn });
      if (terminal().interactive) terminal().err("Secret access key, then Enter and Ctrl-D: ");
      const secret = (await text(terminal().input)).trim();
      if (secret === "")
        throw new Failure("There is no secret access key on standard input.", "Pipe it in: … < key.txt");
      return connect({ access_key_id: accessKeyId, secret_access_key: secret });
    });

  storage
    .command("identity")
    .description("Prints the trust policy for a role that opens a bucket: whom it trusts, with which external id.")
    .action(async () => {
      type Identity = { principal: string | null; trust_policy: object | null };
      const { principal, trust_policy: policy } = await api().call<Identity>("GET", "storage/identity", "admin");
      if (principal === null)
        throw new Failure("This installation takes no roles.", "Its operator has to set STORAGE_AWS_PRINCIPAL.");
      terminal().out(`${JSON.stringify(policy, null, 2)}\n`);
    });

  storage
    .command("status")
    .description("Says how far each archive is, and what keeps one from going on.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const { archives } = await api().call<{ archives: Archive[] }>("GET", "storage/archives", "admin");
      if (json === true) {
        for (const one of archives) terminal().out(`${JSON.stringify(one)}\n`);
        return;
      }
      const rows = archives.map((one) => [
        ...[one.connection, one.state, count(one.lag), count(one.events), count(one.objects), bytes(one.bytes)],
        one.last_object_at ?? "–",
      ]);
      terminal().out(table(["ID", "STATE", "LAG", "EVENTS", "OBJECTS", "SIZE", "LAST OBJECT"], rows, [2, 3, 4, 5]));
      for (const { connection, problem } of archives)
        if (problem !== null)
          terminal().err(`${connection}: ${printable(problem.detail)} Since ${problem.since}; it is tried again.\n`);
    });

  storage
    .command("renew-key")
    .description("Has new objects encrypted under another key. Those that are there keep theirs, and stay readable.")
    .argument("<id>", "a connection's id, sto_…")
    .requiredOption("--client-key-file <file>", "the new key; one is made where there is no such file")
    .action(async (id: string, { clientKeyFile }: { clientKeyFile: string }) => {
      const { client_keys: keys } = await api().call<Connection>("POST", `${path(id)}/client-keys`, "admin", {
        client_key: keyIn(clientKeyFile),
      });
      terminal().out(`${keys[0]?.id ?? ""}\n`);
    });

  storage
    .command("keep")
    .description("Says how long events live in a bucket. Fewer days remove what is there already.")
    .argument("<id>", "a connection's id, sto_…")
    .requiredOption("--days <days>", "counted from the receipt; forever: as long as you leave them there")
    .action(async (id: string, { days }: { days: string }) => {
      const retention_days = days === "forever" ? null : readCount(days, "--days", 1, 3650);
      await api().call("PATCH", path(id), "admin", { retention_days });
    });

  storage
    .command("probe")
    .description("Tries what the archive needs there, and says what is lacking.")
    .argument("<id>", "a connection's id, sto_…")
    .action(async (id: string) => {
      const { ok, problem } = await api().call<{ ok: boolean; problem: string }>("POST", `${path(id)}/probe`, "admin");
      if (!ok) throw new Failure(printable(problem));
      terminal().out("The bucket lets us put, put if new, get, list and delete.\n");
    });

  storage
    .command("disconnect")
    .description("Ends a connection. What is in the bucket stays.")
    .argument("<id>", "a connection's id, sto_…")
    .action(async (id: string) => {
      await api().call("DELETE", path(id), "admin");
      terminal().err(`${printable(id)} is disconnected; nothing in the bucket was deleted\n`);
    });

  addStorageDecrypt(storage, cli);
};
