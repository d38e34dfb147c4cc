/** `deletions` and `certificate`: have events deleted for good, and check what proves it. */
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Certificate, checkCertificate } from "@astralog/schemas/retention/certificate";
import type { DeletionKind } from "@astralog/schemas/retention/deletion";
import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { count, plural, printable } from "../text.ts";
import { readCount, readSpan, readTime } from "../times.ts";
import { findSource } from "./sources.ts";

interface Deletion {
  readonly id: string;
  readonly kind: DeletionKind;
  readonly sources: readonly string[];
  readonly query: string;
  readonly received_before: string;
  readonly reason: string;
  readonly state: string;
  readonly steps: readonly { place: string; state: string; removed: number; found: number; detail: string }[];
  readonly certified: boolean;
}

const againMs = 1_000;

const help = `
Deleting cannot be undone. Ask for a preview first: astralog deletions preview --query 'user.id:7'. A deletion takes what
was received before it was asked for, in all places there are, and ends in a certificate that anybody can check offline:
astralog certificate verify FILE.`;

const whatOf = ({ kind, query, sources }: Deletion): string =>
  kind === "organization" ? "everything" : kind === "source" ? sources.join(", ") : query;

const listText = (rows: readonly Deletion[]): string =>
  table(
    ["ID", "STATE", "WHAT", "RECEIVED BEFORE", "WHY"],
    rows.map((row) => [row.id, row.state, printable(whatOf(row)), row.received_before, printable(row.reason)]),
  );

const showText = (row: Deletion): string =>
  `${listText([row])}\n${table(
    ["PLACE", "STATE", "REMOVED", "FOUND", "DETAIL"],
    row.steps.map((step) => [
      ...[step.place, step.state, count(step.removed), count(step.found), printable(step.detail)],
    ]),
    [2, 3],
  )}`;

interface ScopeOptions {
  query?: string;
  source?: string;
  organization?: true;
  from?: string;
  to?: string;
  json?: true;
}

/** `deletions list | preview | create | show | certificate | removed`, `certificate verify`. */
export const addDeletions = (program: Command, cli: Cli): void => {
  const { terminal, api, now, stop, setExitCode } = cli;
  const deletions = program
    .command("deletions")
    .summary("delete events for good, with a certificate")
    .description("Deletes events before their time, for good.")
    .addHelpText("after", help);
  const scoped = (command: Command): Command =>
    command
      .option("--query <query>", "what it finds")
      .option("--source <source>", "all of a source, by name or id")
      .option("--organization", "everything of the organization")
      .option("--from <time>", "only events of this time on")
      .option("--to <time>", "only events before this time")
      .option("--json", "print JSON");
  const bodyOf = async ({ query, source, organization, from, to }: ScopeOptions): Promise<Record<string, string>> => {
    const kinds = [query !== undefined, source !== undefined, organization === true].filter(Boolean);
    if (kinds.length !== 1) throw new Failure("Give one of --query, --source and --organization.", "", 2);
    return {
      kind: organization === true ? "organization" : source === undefined ? "query" : "source",
      ...(query === undefined ? {} : { query }),
      ...(source === undefined ? {} : { source: (await findSource(cli, source)).id }),
      ...(from === undefined ? {} : { from: readTime(from, "--from", now()) }),
      ...(to === undefined ? {} : { to: readTime(to, "--to", now()) }),
    };
  };
  const print = (row: Deletion, json: true | undefined): void =>
    terminal().out(json === true ? `${JSON.stringify(row)}\n` : showText(row));
  const one = (id: string): Promise<Deletion> => api().call("GET", `deletions/${encodeURIComponent(id)}`, "admin");

  deletions
    .command("list", { isDefault: true })
    .description("Lists deletions, newest first.")
    .option("--limit <rows>", "most to print", "100")
    .option("--json", "print one JSON object a line")
    .action(async ({ limit, json }: { limit: string; json?: true }) => {
      const asked = withQuery("deletions", { limit: String(readCount(limit, "--limit", 1, 1_000)) });
      const { deletions: rows } = await api().call<{ deletions: Deletion[] }>("GET", asked, "admin");
      if (json === true) for (const row of rows) terminal().out(`${JSON.stringify(row)}\n`);
      else if (rows.length === 0) terminal().err("nothing was deleted yet\n");
      else terminal().out(listText(rows));
    });

  type Preview = {
    events: number;
    dead_letters: number;
    buckets: { name: string; events: number | null; problem: string }[];
    confirm: string;
  };
  const bucketText = ({ name, events, problem }: Preview["buckets"][number]): string =>
    events === null
      ? `bucket ${printable(name)} could not be counted: ${printable(problem)}\n`
      : `${plural(events, "event")} in the bucket ${printable(name)}\n`;
  const preview = (body: object): Promise<Preview> => api().call("POST", "deletions/preview", "admin", body);
  scoped(deletions.command("preview").description("Says how much would be deleted now, and deletes nothing.")).action(
    async (options: ScopeOptions) => {
      const seen = await preview(await bodyOf(options));
      terminal().out(
        options.json === true
          ? `${JSON.stringify(seen)}\n`
          : `${seen.buckets.map(bucketText).join("")}${plural(seen.events, "event")} and ${plural(seen.dead_letters, "dead letter")}; to delete them: --confirm '${printable(seen.confirm)}'\n`,
      );
    },
  );

  scoped(deletions.command("create").description("Deletes, for good."))
    .requiredOption("--reason <text>", "why; it stands in the certificate")
    .requiredOption("--confirm <text>", "the name of the source or organization, or the query, once more")
    .option("--wait <span>", "how long to wait for the certificate", "0")
    .action(async (options: ScopeOptions & { reason: string; confirm: string; wait: string }) => {
      const { reason, confirm } = options;
      const deadline = now() + readSpan(options.wait, "--wait") * 1_000;
      let row = await api().call<Deletion>("POST", "deletions", "admin", {
        ...(await bodyOf(options)),
        reason,
        confirm,
      });
      while (!row.certified && now() < deadline && !stop().aborted) {
        await sleep(againMs, undefined, { signal: stop() }).catch(() => undefined);
        row = await one(row.id);
      }
      print(row, options.json);
    });
  deletions
    .command("show")
    .description("Shows how far a deletion is, place by place.")
    .argument("<id>")
    .option("--json", "print JSON")
    .action(async (id: string, options: { json?: true }) => print(await one(id), options.json));
  deletions
    .command("certificate")
    .description("Prints a deletion's signed certificate, for keeping.")
    .argument("<id>")
    .action(async (id: string) => {
      const path = `deletions/${encodeURIComponent(id)}/certificate`;
      terminal().out(`${JSON.stringify(await api().call("GET", path, "admin"))}\n`);
    });
  deletions
    .command("removed")
    .description("Prints the list that a certificate stands for: which records, and how many events of each.")
    .argument("<id>")
    .action((id: string) =>
      api().download(`deletions/${encodeURIComponent(id)}/removed`, "admin", (piece) => terminal().outBytes(piece)),
    );

  program
    .command("certificate")
    .summary("check a deletion's certificate offline")
    .description("Deletion certificates.")
    .command("verify")
    .description("Checks a certificate offline: signed, unchanged, and every place found empty.")
    .argument("<file>", "as astralog deletions certificate printed it")
    .option("--removed <file>", "the list it stands for, as astralog deletions removed printed it")
    .option("--public-key <base64>", "the key that must have signed; else the one that the certificate names")
    .option("--json", "print the verdict as JSON")
    .action((file: string, options: { removed?: string; publicKey?: string; json?: true }) => {
      const certificate = readCertificate(file);
      const publicKey = options.publicKey ?? certificate.public_key;
      if (Buffer.from(publicKey, "base64").length !== 32)
        throw new Failure("--public-key is no Ed25519 key: it takes 32 bytes in base64.", "", 2);
      const lines = options.removed === undefined ? {} : { lines: readText(options.removed).split("\n") };
      const { problems } = checkCertificate(certificate, { publicKey, ...lines });
      const ok = problems.length === 0;
      if (options.json === true)
        terminal().out(
          `${JSON.stringify({ ok, problems, id: certificate.id, key_id: certificate.key_id, key_given: options.publicKey !== undefined })}\n`,
        );
      else
        terminal().out(
          ok ? heldText(certificate, options) : problems.map((one) => `broken: ${printable(one)}\n`).join(""),
        );
      if (!ok) setExitCode(1);
    });
};

const readText = (file: string): string => {
  if (!existsSync(file)) throw new Failure(`There is no file ${file}.`);
  return readFileSync(file, "utf8");
};

const readCertificate = (file: string): Certificate => {
  try {
    const read = JSON.parse(readText(file)) as Partial<Certificate> | null;
    if (typeof read?.public_key === "string" && Array.isArray(read.places) && read.merkle !== undefined)
      return read as Certificate;
  } catch (error) {
    if (error instanceof Failure) throw error;
  }
  throw new Failure(`${file} is no deletion certificate.`, "astralog deletions certificate ID prints one.", 2);
};

const heldText = (
  certificate: Certificate,
  { removed, publicKey }: { removed?: string; publicKey?: string },
): string => {
  const { id, tenant, places, received_before, merkle, key_id } = certificate;
  const counts = places.map(({ place, removed: gone }) => `  ${place}: ${count(gone)} removed, 0 found afterwards`);
  return `${[
    `it holds: deletion ${printable(id)} of ${printable(tenant)}, of what was received before ${printable(received_before)}`,
    ...counts.map(printable),
    `${plural(merkle.leaves, "record")} of the ledger under the root ${printable(merkle.root)}${removed === undefined ? "; --removed checks the list" : ", and the list is the one"}`,
    `signed by key ${printable(key_id)}${publicKey === undefined ? ", which the certificate itself names: --public-key makes sure whose it is" : ""}`,
  ].join("\n")}\n`;
};
