/** `takeout import`: a takeout of another Astralog into an organization of this one that has no events yet. */
import { setTimeout as sleep } from "node:timers/promises";
import { configurationFiles, type TakeoutFile, type TakeoutManifest, takeoutNames } from "@astralog/schemas/takeout";
import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { Failure, PassingFailure } from "../failure.ts";
import { table } from "../table.ts";
import { isWhole, openPlace, type TakeoutPlace, trustedManifest } from "../takeout-folder.ts";
import { readRecords, type TakenRecord } from "../takeout-rows.ts";
import { count, plural, printable } from "../text.ts";
import { readSpan } from "../times.ts";

interface Note {
  readonly file: string;
  readonly id: string;
  readonly name: string;
  readonly outcome: string;
  readonly detail: string;
}
interface Sum {
  readonly source: string;
  readonly was: string;
  readonly expected: number;
  readonly found: number;
  readonly same: boolean | null;
}
interface Import {
  readonly id: string;
  readonly takeout: string;
  readonly finished_at: string | null;
  readonly files: readonly { name: string; accepted: number; refused: Readonly<Record<string, number>> }[];
  readonly notes: readonly Note[];
  readonly result: { readonly sources: readonly Sum[]; readonly ok: boolean } | null;
}

/** Of one request; a record is never parted. */
const requestEvents = 5_000;
const requestBytes = 8 * 2 ** 20;
const requestRecords = 2_000;
const mostTries = 8;
const firstPauseMs = 250;
const againMs = 500;

const help = `
The manifest is checked before anything is taken. Sources, roles, teams, rules, views and dashboards are made anew, people are
invited, and what needs a secret is listed at the end. Events keep their time and the time of their receipt, so retention counts
from where it counted; those that are past it here are refused and counted. What was cut off goes on with the same command, and
nothing is stored twice. At the end counts and checksums of what is stored are compared with the manifest's.`;

const sizeOf = (record: TakenRecord): number =>
  record.events.reduce(
    (sum, event) => sum + event.message.length + event.attributes.reduce((all, text) => all + text.length, 0) + 300,
    0,
  );

/** In requests of bounded size. */
export function* requestsOf(records: readonly TakenRecord[]): Generator<TakenRecord[]> {
  let open: TakenRecord[] = [];
  let [events, bytes] = [0, 0];
  for (const record of records) {
    const size = sizeOf(record);
    const full = events + record.events.length > requestEvents || bytes + size > requestBytes;
    if (open.length > 0 && (full || open.length >= requestRecords)) {
      yield open;
      [open, events, bytes] = [[], 0, 0];
    }
    open.push(record);
    events += record.events.length;
    bytes += size;
  }
  if (open.length > 0) yield open;
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, one) => all + one, 0);

export const addTakeoutImport = (takeout: Command, cli: Cli): void => {
  const { terminal, api, now, stop, setExitCode } = cli;

  const insist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      if (stop().aborted) throw new Failure("Stopped; the same command goes on here.", "", 130);
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof PassingFailure) || tries >= mostTries) throw error;
        await sleep(firstPauseMs * 2 ** tries, undefined, { signal: stop() }).catch(() => undefined);
      }
    }
  };

  const whole = async (place: TakeoutPlace, file: TakeoutFile): Promise<Buffer> => {
    const body = await place.read(file.name);
    if (body === undefined) throw new Failure(`${file.name} is missing in ${place.name}.`);
    if (!isWhole(file, body)) throw new Failure(`${file.name} has other bytes than were signed.`);
    return body;
  };

  const bringEvents = async (place: TakeoutPlace, file: TakeoutFile, at: string): Promise<void> => {
    const records = await readRecords(await whole(place, file));
    let accepted = 0;
    const refused: Record<string, number> = {};
    for (const some of requestsOf(records)) {
      const answer = await insist(() =>
        api().call<{ accepted: number; refused: Record<string, number> }>("POST", `${at}/events`, "admin", {
          name: file.name,
          records: some,
        }),
      );
      accepted += answer.accepted;
      for (const [why, events] of Object.entries(answer.refused)) refused[why] = (refused[why] ?? 0) + events;
    }
    await insist(() => api().call("POST", `${at}/files`, "admin", { name: file.name, accepted, refused }));
  };

  /** Until as many are stored as were accepted. */
  const settled = async (at: string, deadline: number): Promise<void> => {
    for (;;) {
      const { sources } = await insist(() => api().call<{ sources: Sum[] }>("GET", `${at}/comparison`, "admin"));
      const coming = sources.reduce((all, { expected, found }) => all + Math.max(0, expected - found), 0);
      if (coming === 0) return;
      if (now() >= deadline)
        throw new Failure(`${plural(coming, "event")} of it are not stored yet.`, "The same command goes on with it.");
      await sleep(againMs, undefined, { signal: stop() }).catch(() => undefined);
    }
  };

  takeout
    .command("import")
    .description("Brings a takeout of another Astralog into this organization, which must have no events yet.")
    .argument("<folder>", "as astralog takeout download wrote it, or an address where its files lie")
    .option("--public-key <base64>", "the key that must have signed; else the one that the manifest names")
    .option("--wait <span>", "how long to wait for all to be stored", "10m")
    .option("--json", "print the report as JSON")
    .addHelpText("after", help)
    .action(async (folder: string, options: { publicKey?: string; wait: string; json?: true }) => {
      const waitMs = readSpan(options.wait, "--wait") * 1_000;
      const place = openPlace(folder);
      const manifest = await trustedManifest(place, options.publicKey);
      const begun = await api().call<Import>("POST", "imports", "admin", {
        manifest,
        ...(options.publicKey === undefined ? {} : { public_key: options.publicKey }),
      });
      const at = `imports/${encodeURIComponent(begun.id)}`;
      if (begun.finished_at === null) await bring(place, manifest, begun, at, waitMs);
      const row = await api().call<Import>("GET", at, "admin");
      if (options.json === true) terminal().out(`${JSON.stringify(row)}\n`);
      else terminal().out(reportText(row));
      if (row.result?.ok !== true) setExitCode(1);
    });

  const bring = async (
    place: TakeoutPlace,
    manifest: TakeoutManifest,
    begun: Import,
    at: string,
    waitMs: number,
  ): Promise<void> => {
    for (const name of configurationFiles.map(takeoutNames.configuration)) {
      const file = manifest.files.find((one) => one.name === name);
      if (file === undefined) continue;
      const body = await whole(place, file);
      await insist(() => api().upload(withQuery(`${at}/configuration`, { name }), "admin", body));
      terminal().err(`${name}\n`);
    }
    const trail = manifest.files.find(({ kind }) => kind === "audit");
    if (trail !== undefined) {
      const body = await whole(place, trail);
      await insist(() => api().upload(`${at}/audit`, "admin", body));
      terminal().err(`${trail.name}\n`);
    }
    const through = new Set(begun.files.map(({ name }) => name));
    const files = manifest.files.filter(({ kind }) => kind === "events");
    for (const [i, file] of files.entries()) {
      if (!through.has(file.name)) await bringEvents(place, file, at);
      terminal().err(`${i + 1}/${files.length} ${file.name}\n`);
    }
    await settled(at, now() + waitMs);
    await insist(() => api().call("POST", `${at}/finish`, "admin"));
  };
};

const reportText = ({ id, takeout, files, notes, result }: Import): string => {
  const refused: Record<string, number> = {};
  for (const file of files)
    for (const [why, events] of Object.entries(file.refused)) refused[why] = (refused[why] ?? 0) + events;
  const made = Map.groupBy(
    notes.filter(({ outcome }) => outcome !== "secret" && outcome !== "refused"),
    ({ file, outcome }) => `${file}: ${outcome}`,
  );
  const open = notes.filter(({ outcome, detail }) => ["secret", "refused"].includes(outcome) || detail !== "");
  return `${[
    `import ${printable(id)} of ${printable(takeout)}`,
    ...[...made].map(([what, all]) => `  ${printable(what)} ${count(all.length)}`),
    table(
      ["SOURCE", "WAS", "ACCEPTED", "STORED", "ROWS"],
      (result?.sources ?? []).map((one) => [
        ...[printable(one.source), printable(one.was), count(one.expected), count(one.found)],
        one.same === null ? "not all were taken" : one.same ? "the same" : "DIFFER",
      ]),
      [2, 3],
    ).trimEnd(),
    ...(sum(refused) === 0
      ? []
      : [
          `refused: ${Object.entries(refused)
            .map(([why, events]) => `${plural(events, "event")} (${printable(why)})`)
            .join(", ")}`,
        ]),
    ...(open.length === 0 ? [] : ["to be done by hand:"]),
    ...open.map((one) => `  ${printable(`${one.file} ${one.name || one.id}: ${one.detail || one.outcome}`)}`),
    result === null
      ? "it is not finished"
      : result.ok
        ? "all that was accepted is stored, row by row"
        : "NOT all is as it should be",
  ].join("\n")}\n`;
};
