/** How fast ClickHouse alone takes the same rows into the same table: the ceiling for anything that stores in it. */
import type { Addresses } from "@astralog/local";
import { seed } from "./bodies.ts";
import { type ClickHouse, connectClickHouse, numberIn } from "./clickhouse.ts";
import { generate } from "./generate.ts";
import { measure } from "./processes.ts";
import { columns, encode, type Format, formats, opening } from "./rows.ts";

export interface InsertResult {
  readonly format: Format;
  readonly eventsPerSecond: number;
  readonly cpuPerMillion: number;
  readonly bytesPerEvent: number;
}

/** What the sink aims at too. */
const rowsPerInsert = 100_000;
const rowsPerBatch = 1_000;

const insertAll = async (
  clickhouse: ClickHouse,
  format: Format,
  events: number,
  of: number,
  pid: number,
): Promise<InsertResult> => {
  const table = `bench_${format.toLowerCase()}`;
  await clickhouse.run(`CREATE TABLE ${table} AS events`);
  const now = Date.now();
  const inserts: Buffer[][] = [];
  for (let first = 0; first < events; first += rowsPerInsert) {
    const pieces = opening(format);
    for (let at = first; at < Math.min(events, first + rowsPerInsert); at += rowsPerBatch) {
      const batch = [...generate(seed, at, Math.min(rowsPerBatch, events - at), of, now)];
      pieces.push(encode(format, batch, { receivedAt: now, offset: at / rowsPerBatch }));
    }
    inserts.push(pieces);
  }
  const costs = measure({ clickhouse: pid });
  const begun = performance.now();
  for (const pieces of inserts) await clickhouse.run(`INSERT INTO ${table} (${columns}) FORMAT ${format}`, pieces);
  const seconds = (performance.now() - begun) / 1000;
  const cpu = costs()[0]?.cpuSeconds ?? 0;
  const stored = await numberIn(clickhouse, `SELECT count() FROM ${table}`);
  if (stored !== events) throw new Error(`${format}: ${stored} rows of ${events}`);
  const bytes = await numberIn(
    clickhouse,
    `SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = '${table}'`,
  );
  await clickhouse.run(`DROP TABLE ${table} SYNC`);
  return {
    format,
    eventsPerSecond: events / seconds,
    cpuPerMillion: (cpu / events) * 1e6,
    bytesPerEvent: bytes / events,
  };
};

/** The first `events` of a run of `of`, in each format, one insert at a time. The table is as the migrations made it. */
export const runClickHouse = async (
  addresses: Addresses,
  pid: number,
  events: number,
  of: number,
): Promise<InsertResult[]> => {
  const clickhouse = connectClickHouse(addresses.clickhouse);
  const results: InsertResult[] = [];
  for (const format of formats) results.push(await insertAll(clickhouse, format, events, of, pid));
  clickhouse.close();
  return results;
};
