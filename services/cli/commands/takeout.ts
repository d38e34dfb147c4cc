/** `takeout`: everything of the organization as files, for keeping and for another Astralog. */
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type TakeoutFile, type TakeoutManifest, takeoutNames, takeoutProblems } from "@astralog/schemas/takeout";
import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { Failure, PassingFailure } from "../failure.ts";
import { table } from "../table.ts";
import { fileProblems, hashOf, openPlace, readManifestText, trustedManifest } from "../takeout-folder.ts";
import { count, plural, printable } from "../text.ts";
import { readCount, readSpan } from "../times.ts";
import { addTakeoutImport } from "./takeout-import.ts";

interface Takeout {
  readonly id: string;
  readonly state: string;
  readonly parts: readonly string[];
  readonly created_at: string;
  readonly expires_at: string;
  readonly problem: string;
  readonly events: number | null;
  readonly events_done: number;
  readonly files: number;
  readonly bytes: number;
}

const againMs = 1_000;
const mostTries = 5;

const help = `
A takeout has the events as Parquet, the configuration as JSON and the audit trail, and a signed manifest with the SHA-256 of
each file: astralog takeout verify FOLDER checks all of it, offline. Creating one takes an admin key; fetching its events takes
a query key, too. Broken downloads go on where they stopped: give the same command again.`;

const listText = (rows: readonly Takeout[]): string =>
  table(
    ["ID", "STATE", "EVENTS", "FILES", "BYTES", "CREATED", "KEPT UNTIL"],
    rows.map((row) => [
      ...[row.id, row.state, row.events === null ? "" : `${count(row.events_done)}/${count(row.events)}`],
      ...[count(row.files), count(row.bytes), row.created_at, row.expires_at],
    ]),
    [2, 3, 4],
  );

/** `takeout list | create | status | cancel | download | verify | import`. */
export const addTakeout = (program: Command, cli: Cli): void => {
  const { terminal, api, now, stop, setExitCode } = cli;
  const takeout = program
    .command("takeout")
    .summary("everything of the organization as files, and back into another Astralog")
    .description("Takes everything out, in open formats, and brings it into another Astralog.")
    .addHelpText("after", help);
  const path = (id: string): string => `takeouts/${encodeURIComponent(id)}`;
  const one = (id: string): Promise<Takeout> => api().call("GET", path(id), "admin");
  const print = (row: Takeout, json: true | undefined): void => {
    terminal().out(json === true ? `${JSON.stringify(row)}\n` : listText([row]));
    if (json !== true && row.problem !== "") terminal().out(`${printable(row.problem)}\n`);
  };
  /** Until it is over, or the time is. */
  const settled = async (row: Takeout, deadline: number): Promise<Takeout> => {
    let seen = row;
    while (["waiting", "running"].includes(seen.state) && now() < deadline && !stop().aborted) {
      await sleep(againMs, undefined, { signal: stop() }).catch(() => undefined);
      seen = await one(row.id);
    }
    return seen;
  };

  takeout
    .command("list", { isDefault: true })
    .description("Lists takeouts, newest first.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const { takeouts: rows } = await api().call<{ takeouts: Takeout[] }>("GET", "takeouts", "admin");
      if (json === true) for (const row of rows) terminal().out(`${JSON.stringify(row)}\n`);
      else if (rows.length === 0) terminal().err("nothing was taken out yet\n");
      else terminal().out(listText(rows));
    });

  takeout
    .command("create")
    .description("Has everything of the organization put into files, as it is now.")
    .option("--parts <parts>", "of events, configuration and audit, separated by commas", "events,configuration,audit")
    .option("--bucket <connection>", "into a bucket of your own: id of a storage connection")
    .option("--days <days>", "how long the files are kept")
    .option("--wait <span>", "how long to wait for its end", "0")
    .option("--json", "print JSON")
    .action(async (options: { parts: string; bucket?: string; days?: string; wait: string; json?: true }) => {
      const deadline = now() + readSpan(options.wait, "--wait") * 1_000;
      const made = await api().call<Takeout>("POST", "takeouts", "admin", {
        parts: options.parts.split(",").map((part) => part.trim()),
        ...(options.bucket === undefined ? {} : { connection: options.bucket }),
        ...(options.days === undefined ? {} : { days: readCount(options.days, "--days", 1, 90) }),
      });
      const row = await settled(made, deadline);
      print(row, options.json);
      if (row.state === "failed") setExitCode(1);
    });

  takeout
    .command("status")
    .description("Shows how far a takeout is.")
    .argument("<id>")
    .option("--wait <span>", "how long to wait for its end", "0")
    .option("--json", "print JSON")
    .action(async (id: string, { wait, json }: { wait: string; json?: true }) => {
      const row = await settled(await one(id), now() + readSpan(wait, "--wait") * 1_000);
      print(row, json);
      if (row.state === "failed") setExitCode(1);
    });

  takeout
    .command("cancel")
    .description("Ends a takeout that is under way, or removes the files of one that is done.")
    .argument("<id>")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: { json?: true }) =>
      print(await api().call<Takeout>("DELETE", path(id), "admin"), json),
    );

  takeout
    .command("download")
    .description("Fetches the files of a takeout into a folder, and checks each. Goes on where it was stopped.")
    .argument("<id>")
    .requiredOption("--to <folder>", "a folder, made where there is none")
    .option("--public-key <base64>", "the key that must have signed; else the one that the manifest names")
    .action(async (id: string, { to, publicKey }: { to: string; publicKey?: string }) => {
      const manifest = await fetchManifest(id, to, publicKey);
      let done = 0;
      for (const file of manifest.files) {
        if (stop().aborted) throw new Failure("Stopped; the same command goes on here.", "", 130);
        await fetchFile(id, to, file);
        done += 1;
        terminal().err(`${done}/${manifest.files.length} ${file.name}\n`);
      }
      const { events, bytes } = manifest.total;
      terminal().out(
        `${plural(manifest.files.length, "file")} with ${plural(events, "event")} and ${plural(bytes, "byte")} in ${to}, each as it was signed\n`,
      );
    });

  const fetchManifest = async (id: string, to: string, publicKey?: string): Promise<TakeoutManifest> => {
    const target = join(to, takeoutNames.manifest);
    if (existsSync(target)) {
      const known = readManifestText(readFileSync(target, "utf8"), to);
      if (known.id !== id) throw new Failure(`${to} holds the takeout ${known.id}.`, "Give a folder of its own.", 2);
    }
    const pieces: Buffer[] = [];
    await api().download(withQuery(`${path(id)}/files`, { name: takeoutNames.manifest }), "admin", (piece) => {
      pieces.push(piece);
      return undefined;
    });
    const body = Buffer.concat(pieces);
    const manifest = readManifestText(body.toString(), `The takeout ${id}`);
    const problems = takeoutProblems(manifest, publicKey ?? manifest.public_key);
    if (problems.length > 0) throw new Failure(`The takeout ${id}: ${problems.join("; ")}.`);
    mkdirSync(to, { recursive: true, mode: 0o700 });
    writeFileSync(target, body, { mode: 0o600 });
    return manifest;
  };

  /** What is there counts by its hash; of what is there in part, only the rest is asked for. */
  const fetchFile = async (id: string, to: string, file: TakeoutFile): Promise<void> => {
    const target = join(to, file.name);
    if (existsSync(target) && statSync(target).size === file.bytes && (await hashOf(target)) === file.sha256) return;
    const part = `${target}.part`;
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const asked = withQuery(`${path(id)}/${file.kind === "events" ? "events" : "files"}`, { name: file.name });
    const use = file.kind === "events" ? "query" : "admin";
    for (let tries = 1; ; tries++) {
      const there = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
      if (there > file.bytes) rmSync(part);
      else if (there < file.bytes || file.bytes === 0) {
        const headers = there === 0 ? {} : { range: `bytes=${there}-`, "if-range": `"${file.sha256}"` };
        try {
          await append(part, (take) => api().download(asked, use, take, headers));
        } catch (error) {
          // A refusal stays one; what was cut goes on where it is.
          if (tries >= mostTries || stop().aborted || !(error instanceof PassingFailure)) throw error;
          continue;
        }
      }
      if (existsSync(part) && (await hashOf(part)) === file.sha256) return renameSync(part, target);
      rmSync(part, { force: true });
      if (tries >= mostTries) throw new Failure(`${file.name} does not come as it was signed.`);
    }
  };

  takeout
    .command("verify")
    .description(
      "Checks a takeout offline: signed, every file there and unchanged, its rows counted, the trail unbroken.",
    )
    .argument("<folder>", "as astralog takeout download wrote it, or an address where its files lie")
    .option("--public-key <base64>", "the key that must have signed; else the one that the manifest names")
    .option("--json", "print the verdict as JSON")
    .action(async (folder: string, { publicKey, json }: { publicKey?: string; json?: true }) => {
      if (publicKey !== undefined && Buffer.from(publicKey, "base64").length !== 32)
        throw new Failure("--public-key is no Ed25519 key: it takes 32 bytes in base64.", "", 2);
      const place = openPlace(folder);
      const manifest = await trustedManifest(place, publicKey);
      const key = publicKey ?? manifest.public_key;
      const problems = await fileProblems(place, manifest, { publicKey: key, each: () => undefined });
      const ok = problems.length === 0;
      const { id, key_id, total, cut } = manifest;
      if (json === true)
        terminal().out(
          `${JSON.stringify({ ok, problems, id, key_id, key_given: publicKey !== undefined, cut, ...total })}\n`,
        );
      else if (ok)
        terminal().out(
          `it holds: takeout ${printable(id)} of ${printable(manifest.organization.name)}, of what was stored at ${printable(cut)}
${plural(total.files, "file")}, ${plural(total.events, "event")}, ${plural(total.bytes, "byte")}, each file as it was signed
signed by key ${printable(key_id)}${publicKey === undefined ? ", which the manifest itself names: --public-key makes sure whose it is" : ""}\n`,
        );
      else terminal().out(problems.map((problem) => `broken: ${printable(problem)}\n`).join(""));
      if (!ok) setExitCode(1);
    });

  addTakeoutImport(takeout, cli);
};

/** Adds what comes to a file, no faster than it is written. */
const append = async (
  path: string,
  download: (take: (piece: Buffer) => Promise<void> | undefined) => Promise<void>,
): Promise<void> => {
  const file = createWriteStream(path, { flags: "a", mode: 0o600 });
  const failed = new Promise<never>((_, reject) => {
    file.once("error", (error) => reject(new Failure(`${path} cannot be written: ${error.message}`)));
  });
  failed.catch(() => undefined);
  try {
    await download((piece) =>
      file.write(piece)
        ? undefined
        : Promise.race([failed, new Promise<void>((resolve) => file.once("drain", () => resolve()))]),
    );
  } finally {
    await Promise.race([failed, new Promise<void>((resolve) => file.end(() => resolve()))]);
  }
};
