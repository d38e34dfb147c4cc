/** Rows straight into ClickHouse, evenly over a stretch of time that ends now, and merged as far as the server would. */
import { setTimeout as sleep } from "node:timers/promises";
import { seed } from "./bodies.ts";
import { type ClickHouse, numberIn } from "./clickhouse.ts";
import { generate } from "./generate.ts";
import { columns, encode } from "./rows.ts";

const rowsPerInsert = 100_000;
export const rowsPerBatch = 1_000;

/** `events` of them, a multiple of `rowsPerBatch`, over the last `spanMs`. */
export const plant = async (clickhouse: ClickHouse, tenant: string, events: number, spanMs: number): Promise<void> => {
  const end = Date.now();
  for (let first = 0; first < events; first += rowsPerInsert) {
    const pieces: Buffer[] = [];
    for (let at = first; at < Math.min(events, first + rowsPerInsert); at += rowsPerBatch) {
      const batch = [...generate(seed, at, rowsPerBatch, events, end)].map((event, i) => ({
        ...event,
        millis: end - Math.ceil(((events - at - i) * spanMs) / events),
      }));
      pieces.push(encode("RowBinary", batch, { receivedAt: end, offset: at / rowsPerBatch, tenant }));
    }
    await clickhouse.run(`INSERT INTO events (${columns}) FORMAT RowBinary`, pieces);
  }
  while ((await numberIn(clickhouse, "SELECT count() FROM system.merges")) > 0) await sleep(200);
};
