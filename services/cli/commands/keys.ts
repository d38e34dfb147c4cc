import type { Command } from "commander";
import { type Key, listAll } from "../api.ts";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { printable } from "../text.ts";
import { readSpan } from "../times.ts";
import { findSource, listSources, sourceIds } from "./sources.ts";

/** A key as it was made: the one time its text is seen. */
type MadeKey = Key & { key: string };

const state = (key: Key, now: number): string => {
  if (key.revoked_at !== null) return `revoked ${key.revoked_at}`;
  if (key.expires_at === null) return "on";
  return Date.parse(key.expires_at) <= now ? `expired ${key.expires_at}` : `until ${key.expires_at}`;
};

const help = `
A new key is printed alone on standard output, so that it can be taken: KEY=$(astralog keys create …)

To rotate without a gap: rotate with an overlap, give the new key to its users, and the old one ends by itself.`;

const repeated = (value: string, all: string[] | undefined): string[] => [...(all ?? []), value];

/** `keys list | create | rotate | revoke`. */
export const addKeys = (program: Command, cli: Cli): void => {
  const { terminal, api, now } = cli;
  const keys = program
    .command("keys")
    .summary("list, create, rotate and revoke keys")
    .description("Keys: an ingest key sends for one source, a query key searches, an admin key manages.")
    .addHelpText("after", help);

  const printNew = ({ key, ...about }: MadeKey, json: true | undefined): void => {
    if (json === true) return terminal().out(`${JSON.stringify({ ...about, key })}\n`);
    terminal().out(`${key}\n`);
    terminal().err(`${about.id}: keep it now, it is never shown again\n`);
  };

  keys
    .command("list", { isDefault: true })
    .description("Lists the keys; of each only its first and last characters are known.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const [list, sources] = await Promise.all([listAll<Key>(api(), "keys", "keys", "admin"), listSources(cli)]);
      if (json === true) {
        for (const key of list) terminal().out(`${JSON.stringify(key)}\n`);
        return;
      }
      const nameOf = (id: string | null): string => sources.find((source) => source.id === id)?.name ?? id ?? "";
      const rows = list.map((key) => [
        key.id,
        key.kind,
        printable(nameOf(key.source)),
        `${key.prefix}…${key.last4}`,
        printable(key.name),
        state(key, now()),
        key.last_used_at ?? "never",
        [...key.permissions, ...key.sources.map(nameOf)].map(printable).join(" "),
      ]);
      terminal().out(table(["ID", "KIND", "SOURCE", "KEY", "NAME", "STATE", "LAST USED", "LIMITED TO"], rows));
    });

  keys
    .command("create")
    .description("Makes a key and prints it.")
    .requiredOption("--kind <kind>", "ingest, query or admin")
    .option("--source <source>", "for an ingest key: the source it sends for, by name or id")
    .option("--name <name>", "what it is for")
    .option("--expires-in <span>", "when it ends by itself, such as 90d")
    .option("--allow <cidr>", "addresses it may be used from; may be repeated", repeated)
    .option("--permission <name>", "for an admin key: all it may do; may be repeated", repeated)
    .option("--only <source>", "for a query or admin key: all it sees, by name or id; may be repeated", repeated)
    .option("--json", "print the key and all about it as JSON")
    .action(
      async (options: {
        kind: string;
        source?: string;
        name?: string;
        expiresIn?: string;
        allow?: string[];
        permission?: string[];
        only?: string[];
        json?: true;
      }) => {
        const { kind } = options;
        if (kind !== "ingest" && kind !== "query" && kind !== "admin") {
          throw new Failure(`--kind is "${kind}"; it takes ingest, query or admin.`, "", 2);
        }
        if ((kind === "ingest") !== (options.source !== undefined)) {
          throw new Failure(
            kind === "ingest" ? "An ingest key needs --source." : "Only an ingest key has a --source.",
            "",
            2,
          );
        }
        const expires =
          options.expiresIn === undefined
            ? undefined
            : new Date(now() + readSpan(options.expiresIn, "--expires-in") * 1000).toISOString();
        const made = await api().call<MadeKey>("POST", "keys", "admin", {
          kind,
          ...(options.source === undefined ? {} : { source: (await findSource(cli, options.source)).id }),
          ...(options.name === undefined ? {} : { name: options.name }),
          ...(expires === undefined ? {} : { expires_at: expires }),
          ...(options.allow === undefined ? {} : { ip_allowlist: options.allow }),
          ...(options.permission === undefined ? {} : { permissions: options.permission }),
          ...(options.only === undefined ? {} : { sources: await sourceIds(cli, options.only) }),
        });
        printNew(made, options.json);
      },
    );

  keys
    .command("rotate")
    .description("Makes a key like an old one, which ends after the overlap.")
    .argument("<id>", "the old key's id, key_…")
    .option("--overlap <span>", "how long both are good; 0 ends the old one at once", "24h")
    .option("--json", "print the key and all about it as JSON")
    .action(async (id: string, options: { overlap: string; json?: true }) => {
      const overlap_seconds = readSpan(options.overlap, "--overlap");
      const made = await api().call<MadeKey>("POST", `keys/${encodeURIComponent(id)}/rotate`, "admin", {
        overlap_seconds,
      });
      printNew(made, options.json);
      if (options.json !== true) {
        const end = new Date(now() + overlap_seconds * 1000).toISOString();
        terminal().err(overlap_seconds === 0 ? `${id} is revoked\n` : `${id} ends at ${end}\n`);
      }
    });

  keys
    .command("revoke")
    .description("Ends a key at once, for good.")
    .argument("<id...>", "key ids, key_…")
    .action(async (ids: string[]) => {
      for (const id of ids) {
        await api().call("DELETE", `keys/${encodeURIComponent(id)}`, "admin");
        terminal().err(`${id} is revoked; receivers refuse it within a second\n`);
      }
    });
};
