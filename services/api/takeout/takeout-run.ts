/**
 * Packs organizations, one takeout after the other. What is written is written down file by file, so whoever goes on after a
 * kill makes only what is missing. The manifest comes last: without it a takeout is not there.
 */
import { hash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type KafkaPositions, type Log, type Positions } from "@astralog/chassis";
import { type AuditSigner, topics } from "@astralog/schemas";
import {
  configurationFiles,
  signTakeout,
  type TakeoutFile,
  type TakeoutPart,
  takeoutFormat,
  takeoutNames,
} from "@astralog/schemas/takeout";
import { anchoredFrom, auditLines } from "../audit/audit-export.ts";
import type { AuditHeads } from "../audit/audit-heads.ts";
import { bySystem } from "../audit/audit-trail.ts";
import type { Db } from "../postgres.ts";
import type { RawTopic } from "../verify/verify.ts";
import { configurationText, readConfiguration } from "./takeout-configuration.ts";
import { type EventsPlan, partsOf, type TakeoutEvents } from "./takeout-events.ts";
import type { Place, TakeoutStore } from "./takeout-store.ts";
import {
  type Cut,
  claimTakeout,
  cutOf,
  endTakeout,
  filesOf,
  forgetFiles,
  giveBackTakeout,
  keepTakeout,
  Lost,
  type PlannedFile,
  type Progress,
  planFiles,
  progressOf,
  saveFile,
  setCut,
  setProgress,
  type TakeoutRow,
} from "./takeouts.ts";

export interface TakeoutRunDeps {
  readonly db: Db;
  readonly signer: AuditSigner;
  readonly heads: AuditHeads;
  readonly positions: KafkaPositions;
  rawTopics(tenant: string): readonly RawTopic[];
  readonly sinkGroup: string;
  readonly events: TakeoutEvents;
  readonly store: TakeoutStore;
  readonly partEvents: number;
  readonly log: Log;
  wrote(file: TakeoutFile): void;
}

const idleMs = 1_000;
const againMs = 250;
const keepMs = 5_000;
/** Another look at what could not be read whole, or changed between two looks. */
const mostTries = 5;
const mostFiles = 200_000;

const reached = ({ starts, committed }: Positions, ends: ReadonlyMap<number, number>): boolean =>
  [...ends].every(([partition, end]) => Math.max(committed.get(partition) ?? 0, starts.get(partition) ?? 0) >= end);

const sha256 = (body: Buffer): string => hash("sha256", body);

export const startTakeouts = (deps: TakeoutRunDeps) => {
  const { db, store, events, log, signer } = deps;
  const by = bySystem(signer);
  const worker = randomUUID();
  const stopped = new AbortController();
  let forgetAt = 0;

  /** The ends of now, once what lies below them is stored. */
  const passage = async (row: TakeoutRow, signal: AbortSignal): Promise<Cut> => {
    const held = { id: row.id, worker };
    let cut = cutOf(row);
    const raws = deps.rawTopics(row.tenant);
    if (cut === undefined) {
      const at = new Date().toISOString();
      const offsets: Record<string, number[]> = {};
      for (const { topic, group } of raws) {
        const { ends } = await deps.positions.of(topic, group);
        offsets[topic] = Array.from({ length: Math.max(-1, ...ends.keys()) + 1 }, (_, i) => ends.get(i) ?? 0);
      }
      cut = { at, offsets };
      await setCut(db, held, cut);
    }
    const ends = new Map(Object.entries(cut.offsets).map(([topic, of]) => [topic, new Map(of.entries())]));
    const settled = async (topic: string, group: string, of: ReadonlyMap<number, number>): Promise<void> => {
      while (!reached(await deps.positions.of(topic, group), of)) await sleep(againMs, undefined, { signal });
    };
    for (const { topic, group } of raws) {
      const mine = ends.get(topic);
      if (mine !== undefined) await settled(topic, group, mine);
    }
    const clean = await deps.positions.of(topics.clean.name, deps.sinkGroup);
    await settled(topics.clean.name, deps.sinkGroup, clean.ends);
    return cut;
  };

  const write = async (
    row: TakeoutRow,
    place: Place,
    file: Omit<TakeoutFile, "bytes" | "sha256">,
    body: Buffer,
  ): Promise<TakeoutFile> => {
    await place.put(file.name, body);
    const written = { ...file, bytes: body.length, sha256: sha256(body) };
    await saveFile(db, { id: row.id, worker }, written);
    deps.wrote(written);
    return written;
  };

  const packConfiguration = async (row: TakeoutRow, place: Place): Promise<void> => {
    const read = await readConfiguration(db, row.tenant);
    // All of them anew, so that they are of one moment.
    for (const file of configurationFiles)
      await write(
        ...([row, place] as const),
        { name: takeoutNames.configuration(file), kind: "configuration", rows: read[file].length },
        Buffer.from(configurationText(file, read[file])),
      );
  };

  const packAudit = async (row: TakeoutRow, place: Place): Promise<void> => {
    const head = await anchoredFrom(deps.heads, row.tenant, row.audit_seq);
    const pieces: Buffer[] = [];
    for await (const line of auditLines(db, signer, head)) pieces.push(Buffer.from(line));
    await write(row, place, { name: takeoutNames.audit, kind: "audit", rows: head.seq }, Buffer.concat(pieces));
  };

  const packPart = async (
    row: TakeoutRow,
    place: Place,
    cut: Cut,
    name: string,
    plan: EventsPlan,
    signal: AbortSignal,
  ) => {
    for (let tries = 1; ; tries++) {
      const before = await events.sum(row.tenant, cut, plan, signal);
      const body = await events.parquet(row.tenant, cut, plan, signal);
      const after = await events.sum(row.tenant, cut, plan, signal);
      // What retention takes away meanwhile would make the file another than it is said to be.
      if (before.rows === after.rows && before.checksum === after.checksum)
        return write(row, place, { name, kind: "events", source: plan.source, ...before }, body);
      if (tries === mostTries)
        throw new Fault("busy", "The events of one part change all the time; it is tried again.", { retriable: true });
    }
  };

  const packEvents = async (row: TakeoutRow, place: Place, cut: Cut, signal: AbortSignal): Promise<void> => {
    const held = { id: row.id, worker };
    const files = new Map((await filesOf<EventsPlan>(db, row.id)).map((one) => [one.name, one]));
    const days = await events.days(row.tenant, cut, signal);
    let progress: Progress = { ...progressOf(row), events: days.reduce((sum, one) => sum + one.events, 0) };
    const tell = async (): Promise<void> => {
      const written = [...files.values()].flatMap(({ file }) => (file === null ? [] : [file]));
      progress = {
        ...{ events: progress.events ?? 0, files: written.length },
        eventsDone: written.reduce((sum, { kind, rows }) => sum + (kind === "events" ? rows : 0), 0),
        bytes: written.reduce((sum, { bytes }) => sum + bytes, 0),
      };
      await setProgress(db, held, progress);
    };
    await tell();
    const perDay = new Map<string, PlannedFile<EventsPlan>[]>();
    for (const file of files.values())
      if (file.plan !== null) {
        const folder = file.name.slice(0, file.name.lastIndexOf("/"));
        perDay.set(folder, [...(perDay.get(folder) ?? []), file]);
      }
    for (const { source, day } of days) {
      const folder = takeoutNames
        .events(new Date(day * 86_400_000).toISOString().slice(0, 10), source, 0)
        .replace(/\/[^/]*$/, "");
      let planned = perDay.get(folder);
      if (planned === undefined) {
        const parts = partsOf(source, day, await events.slices(row.tenant, cut, source, day, signal), deps.partEvents);
        if (files.size + parts.length > mostFiles)
          throw new Fault("too_many", `A takeout has ${mostFiles} files at most; raise TAKEOUT_PART_EVENTS.`);
        await planFiles(db, row.id, parts);
        planned = parts.map((part) => ({ ...part, file: null }));
      }
      for (const { name, plan, file } of planned) {
        if (file !== null || plan === null) continue;
        files.set(name, { name, plan, file: await packPart(row, place, cut, name, plan, signal) });
        await tell();
      }
    }
  };

  const finish = async (row: TakeoutRow, place: Place, cut: Cut): Promise<void> => {
    const order: readonly TakeoutPart[] = ["configuration", "audit", "events"];
    const inOrder = new Map(configurationFiles.map((file, i) => [takeoutNames.configuration(file), i]));
    const files = (await filesOf(db, row.id))
      .flatMap(({ file }) => (file === null ? [] : [file]))
      .sort(
        (a, b) =>
          order.indexOf(a.kind) - order.indexOf(b.kind) ||
          (inOrder.get(a.name) ?? 0) - (inOrder.get(b.name) ?? 0) ||
          (a.name < b.name ? -1 : 1),
      );
    const total = {
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      events: files.reduce((sum, { kind, rows }) => sum + (kind === "events" ? rows : 0), 0),
    };
    const organization = await db
      .selectFrom("tenants")
      .select(["id", "name"])
      .where("id", "=", row.tenant)
      .executeTakeFirstOrThrow();
    const trail = files.find(({ kind }) => kind === "audit");
    const manifest = signTakeout(signer, {
      ...{ format: takeoutFormat, id: row.id, organization, requested_by: row.requested_by },
      ...{ cut: cut.at, offsets: cut.offsets, issued_at: new Date().toISOString() },
      parts: row.parts as TakeoutPart[],
      audit_head: trail === undefined ? null : await headOf(row.tenant, trail.rows),
      ...{ files, total },
    });
    const body = Buffer.from(`${JSON.stringify(manifest)}\n`);
    await place.put(takeoutNames.manifest, body);
    const progress: Progress = {
      ...{ events: total.events, eventsDone: total.events, files: total.files, bytes: total.bytes },
      sha256: sha256(body),
    };
    const details = { ...total, sha256: sha256(body) };
    await endTakeout(db, { ...row, worker }, { state: "done", problem: "", progress, details }, by);
    log.info({ takeout: row.id, tenant: row.tenant, ...total }, "a takeout is done");
  };

  const headOf = async (tenant: string, seq: number): Promise<{ seq: number; hash: string }> => {
    const { hash: of } = await db
      .selectFrom("audit_events")
      .select("hash")
      .where("tenant", "=", tenant)
      .where("seq", "=", seq)
      .executeTakeFirstOrThrow();
    return { seq, hash: of };
  };

  const pack = async (row: TakeoutRow, signal: AbortSignal): Promise<void> => {
    const place = await store.open(row);
    const cut = await passage(row, signal);
    await setProgress(db, { id: row.id, worker }, progressOf(row));
    const written = (await filesOf(db, row.id)).filter(({ file }) => file !== null);
    const has = (kind: TakeoutPart): boolean => row.parts.includes(kind);
    const configured =
      written.filter(({ file }) => file?.kind === "configuration").length === configurationFiles.length;
    if (has("configuration") && !configured) await packConfiguration(row, place);
    if (has("audit") && !written.some(({ file }) => file?.kind === "audit")) await packAudit(row, place);
    if (has("events")) await packEvents(row, place, cut, signal);
    await finish(row, place, cut);
  };

  /** Works on one for as long as it is this worker's. */
  const work = async (row: TakeoutRow): Promise<void> => {
    const lost = new AbortController();
    const signal = AbortSignal.any([lost.signal, stopped.signal]);
    const held = { id: row.id, worker };
    const keeping = setInterval(
      () =>
        void keepTakeout(db, held).catch((error: unknown) => {
          if (error instanceof Lost) lost.abort();
        }),
      keepMs,
    );
    try {
      await pack(row, signal);
    } catch (error) {
      if (stopped.signal.aborted) return;
      if (error instanceof Lost || lost.signal.aborted) return await leave(row);
      const known = error instanceof Fault ? error : undefined;
      log.warn({ err: error, takeout: row.id, tenant: row.tenant }, "a takeout could not go on");
      if (known !== undefined && !known.retriable)
        return await endTakeout(
          ...([db, { ...row, worker }] as const),
          { state: "failed", problem: known.message, details: { code: known.code } },
          by,
        );
      // Whatever it is may pass: it is begun again where it stands.
      await sleep(idleMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    } finally {
      clearInterval(keeping);
      await giveBackTakeout(db, held).catch(() => undefined);
    }
  };

  /** What is left of one that was cancelled goes at once; retention looks again when its time is over. */
  const leave = async (row: TakeoutRow): Promise<void> => {
    const now = await db.selectFrom("takeouts").select("state").where("id", "=", row.id).executeTakeFirst();
    if (now?.state === "cancelled" || now?.state === "deleted") await (await store.open(row)).clear();
  };

  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        const row = await claimTakeout(db, worker);
        if (row !== undefined) {
          await work(row);
          continue;
        }
        if (Date.now() >= forgetAt) {
          forgetAt = Date.now() + 3_600_000;
          await forgetFiles(db);
        }
      } catch (err) {
        log.warn({ err }, "takeouts could not be looked for");
      }
      await sleep(idleMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopped.abort();
      await looping;
    },
  };
};
