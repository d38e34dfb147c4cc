import { createWriteStream, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type { AuditEvent } from "@astralog/schemas/audit";
import type { AuditHead } from "@astralog/schemas/audit-head";
import type { Command } from "commander";
import { withQuery } from "../api.ts";
import { type AuditVerdict, type KeptFiles, readKept, verifyAuditFile } from "../audit-file.ts";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { count, plural, printable } from "../text.ts";
import { readCount, readTime } from "../times.ts";

const help = `
Each event carries the hash of the one before, and the last one's is signed and kept in Kafka, outside the database that
holds the trail. verify needs neither: it checks a file, anywhere. Against somebody who holds the signing key, keep heads
of your own (astralog audit head, or the folder audit-heads of a connected bucket) and give them to --head.`;

const files: KeptFiles = {
  read: (path) => readFileSync(path, "utf8"),
  folder: (path) =>
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
      ? globSync("**/*.json", { cwd: path })
          .sort()
          .map((name) => join(path, name))
      : undefined,
};
const collected = (one: string, before: readonly string[] = []): readonly string[] => [...before, one];

interface ListOptions {
  action?: string;
  actor?: string;
  target?: string;
  from?: string;
  to?: string;
  limit: string;
  json?: true;
}

const row = ({ seq, at, actor, action, target, where, result }: AuditEvent): string[] => [
  String(seq),
  at,
  printable(actor.name === "" ? actor.id || actor.kind : `${actor.name} (${actor.id})`),
  action,
  printable(target.id === "" ? target.kind : target.id),
  printable(where.ip),
  result,
];

/** `audit list | export | head | verify`. */
export const addAudit = (program: Command, cli: Cli): void => {
  const { terminal, api, now, setExitCode } = cli;
  const audit = program
    .command("audit")
    .summary("who did what: list, export and check it offline")
    .description(
      "The audit trail: every act on keys, sources and dead letters, and every refusal, in a chain of hashes.",
    )
    .addHelpText("after", help);

  audit
    .command("list", { isDefault: true })
    .description("Lists events, newest first.")
    .option("--action <action>", "such as key.revoked")
    .option("--actor <id>", "of the key that acted")
    .option("--target <id>", "of what was acted on")
    .option("--from <time>", "only from this time on")
    .option("--to <time>", "only before this time")
    .option("--limit <events>", "most to print", "100")
    .option("--json", "print one JSON object a line")
    .action(async ({ limit, json, from, to, action, actor, target }: ListOptions) => {
      let left = readCount(limit, "--limit", 1, 1_000_000);
      const filter = {
        action,
        actor,
        target,
        from: from === undefined ? undefined : readTime(from, "--from", now()),
        to: to === undefined ? undefined : readTime(to, "--to", now()),
      };
      const events: AuditEvent[] = [];
      for (let cursor: string | undefined; left > 0; ) {
        const page = await api().call<{ events: AuditEvent[]; next: string | null }>(
          "GET",
          withQuery("audit", { ...filter, cursor, limit: String(Math.min(left, 1000)) }),
          "admin",
        );
        events.push(...page.events);
        left -= page.events.length;
        if (page.next === null) break;
        cursor = page.next;
      }
      if (json === true) for (const event of events) terminal().out(`${JSON.stringify(event)}\n`);
      else if (events.length === 0) terminal().err("there are no such events\n");
      else terminal().out(table(["SEQ", "AT", "ACTOR", "ACTION", "TARGET", "FROM", "RESULT"], events.map(row), [0]));
    });

  audit
    .command("export")
    .description("Writes the whole trail, oldest first, for keeping and for astralog audit verify.")
    .option("--format <format>", "json (lines, with the signed head) or csv", "json")
    .option("--output <file>", "a file to make; standard output unless given")
    .action(async ({ format, output }: { format: string; output?: string }) => {
      if (format !== "json" && format !== "csv") {
        throw new Failure(`--format is "${format}"; it takes json or csv.`, "", 2);
      }
      const path = withQuery("audit/export", { format });
      if (output === undefined) return api().download(path, "admin", (piece) => terminal().outBytes(piece));
      // Not over an older one: it is evidence.
      const file = createWriteStream(output, { flags: "wx", mode: 0o600 });
      const done = finished(file).catch((error: NodeJS.ErrnoException) => {
        throw new Failure(
          error.code === "EEXIST" ? `${output} exists already.` : `${output} cannot be written: ${error.message}`,
        );
      });
      done.catch(() => undefined);
      await api().download(path, "admin", (piece) => {
        if (file.destroyed) return done;
        return file.write(piece)
          ? undefined
          : new Promise((resolve) => file.once("drain", resolve).once("close", resolve));
      });
      file.end();
      await done;
    });

  audit
    .command("head")
    .description("Prints the signed head: where the trail ends now. Kept elsewhere, it shows what is cut off later.")
    .action(async () => {
      const answer = await api().call<{ head: AuditHead; public_key: string }>("GET", "audit/head", "admin");
      terminal().out(`${JSON.stringify(answer)}\n`);
    });

  audit
    .command("verify")
    .description("Checks an export offline: nothing changed, missing, moved, inserted or cut off.")
    .argument("<file>", "as astralog audit export wrote it")
    .option(
      "--head <file|folder|hash>",
      "heads or a hash that were kept elsewhere; the trail must contain each; may be given again",
      collected,
    )
    .option("--public-key <base64>", "the key that must have signed; else the one that the export names")
    .option("--json", "print the verdict as JSON")
    .action(async (file: string, options: { head?: readonly string[]; publicKey?: string; json?: true }) => {
      const { publicKey } = options;
      if (publicKey !== undefined && Buffer.from(publicKey, "base64").length !== 32) {
        throw new Failure("--public-key is no Ed25519 key: it takes 32 bytes in base64.", "", 2);
      }
      const verdict = await verifyAuditFile(file, {
        kept: readKept(options.head ?? [], files),
        ...(publicKey === undefined ? {} : { publicKey }),
      }).catch((error: NodeJS.ErrnoException) => {
        throw error.code === "ENOENT" ? new Failure(`There is no file ${file}.`) : error;
      });
      if (options.json === true) terminal().out(`${JSON.stringify(summaryOf(verdict))}\n`);
      else terminal().out(textOf(verdict));
      if (verdict.broken !== undefined) setExitCode(1);
    });
};

const summaryOf = ({ broken, tenant, count: events, first, last, provenTo, keyId, keyGiven }: AuditVerdict) => ({
  ok: broken === undefined,
  ...(broken === undefined ? {} : { broken }),
  tenant,
  events,
  first: first?.at ?? null,
  last: last?.at ?? null,
  head: last?.hash ?? null,
  proven_to: provenTo,
  key_id: keyId,
  key_given: keyGiven,
});

const textOf = ({ broken, tenant, count: events, first, last, provenTo, keyId, keyGiven }: AuditVerdict): string => {
  if (broken !== undefined) return `broken at seq ${broken.seq}: ${printable(broken.problem)}\n`;
  const lines = [
    `unbroken: ${plural(events, "event")} of ${printable(tenant)}, ${first?.at ?? "none"} to ${last?.at ?? "none"}`,
    `head ${last?.hash ?? "none"}`,
  ];
  if (provenTo < events)
    lines.push(
      `the ${plural(events - provenTo, "event")} after seq ${count(provenTo)} lie behind the head: some may be missing after them`,
    );
  if (keyId !== "")
    lines.push(
      `signed by key ${keyId}${keyGiven ? "" : ", which the export itself names: --public-key makes sure whose it is"}`,
    );
  return `${lines.join("\n")}\n`;
};
