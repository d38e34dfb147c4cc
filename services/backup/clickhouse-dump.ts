/**
 * Reads ClickHouse's tables while others write, merge and remove, without a lock and without a right but to read.
 *
 * A part never changes under its name. One that is there before a statement and after it was there all the while, so what
 * was read of it before, together with an answer to `all that is not of these parts`, is the table at one instant. Large
 * parts are therefore read once, and found again by later backups; the rest, which merges change by the minute, is one
 * answer. If a large part goes meanwhile, the rest is read again.
 */
import { Fault, type Log } from "@astralog/chassis";
import type { ClickHouse } from "./clickhouse.ts";
import type { Column, Part, Slice, TableDump } from "./manifest.ts";
import type { Writer } from "./vault.ts";

/**
 * In this order: whatever is removed from the first ones was written down in the last ones before. Without `sink_claims`,
 * which says who writes now.
 */
export const dumpedTables = ["events", "batches", "dead_letters", "removals", "sweeps", "deletion_steps"] as const;

interface ActivePart {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly hash: string;
}

const triesMost = 20;

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;

export interface DumpOptions {
  readonly clickhouse: ClickHouse;
  readonly writer: Writer;
  readonly log: Log;
  /** Parts of this table that earlier backups have, by identity. */
  known(table: string): ReadonlyMap<string, Part>;
  readonly sliceRows: number;
  readonly partBytes: number;
}

export const dumpTable = async (
  table: string,
  { clickhouse, writer, log, known, sliceRows, partBytes }: DumpOptions,
): Promise<TableDump> => {
  const { database } = clickhouse;
  const ofTable = `database = ${quoted(database)} AND table = ${quoted(table)}`;
  const columns = await clickhouse.rows<Column>(
    `SELECT name, type FROM system.columns WHERE ${ofTable} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS', 'EPHEMERAL')
     ORDER BY position`,
  );
  if (columns.length === 0) throw new Fault("backup_failed", `There is no table ${table}, or no right to read it.`);
  const select = `SELECT ${columns.map(({ name }) => `\`${name}\``).join(", ")} FROM ${database}.${table}`;
  const active = () =>
    clickhouse.rows<ActivePart>(
      `SELECT name, rows, bytes_on_disk AS bytes, hash_of_all_files AS hash FROM system.parts WHERE ${ofTable} AND active`,
    );
  const read = async (where: string): Promise<Slice> => {
    const { rows, body } = await clickhouse.read(`${select} WHERE ${where}`);
    return { rows, pieces: await writer.store(body) };
  };

  const earlier = known(table);
  const stored = new Map<string, Part>();
  /** Undefined when the part went while it was read. */
  const readPart = async ({ name, rows, hash }: ActivePart): Promise<Part | undefined> => {
    const slices: Slice[] = [];
    for (let from = 0; from < rows; from += sliceRows) {
      const to = Math.min(rows, from + sliceRows);
      const slice = await read(`_part = ${quoted(name)} AND _part_offset >= ${from} AND _part_offset < ${to}`);
      if (slice.rows !== to - from) return undefined;
      slices.push(slice);
    }
    return { identity: `${name} ${hash}`, slices };
  };

  for (let tries = 1; tries <= triesMost; tries++) {
    const before = await active();
    const large = before.filter(({ bytes }) => bytes >= partBytes);
    let gone = false;
    for (const part of large) {
      if (stored.has(part.name)) continue;
      const found = earlier.get(`${part.name} ${part.hash}`) ?? (await readPart(part));
      if (found === undefined) gone = true;
      else stored.set(part.name, found);
    }
    if (gone) continue;
    const held = large.map(({ name }) => name);
    const rest = await read(held.length === 0 ? "1" : `_part NOT IN (${held.map(quoted).join(", ")})`);
    const after = new Set((await active()).map(({ name }) => name));
    if (held.every((name) => after.has(name))) {
      const parts = held.flatMap((name) => stored.get(name) ?? []);
      return { name: table, columns, parts: rest.rows > 0 ? [...parts, { identity: "", slices: [rest] }] : parts };
    }
    log.debug({ table, tries }, "a part was merged while the rest was read; it is read again");
  }
  throw new Fault("backup_failed", `The parts of ${table} change faster than they can be read.`, { retriable: true });
};
