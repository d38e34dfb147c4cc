/** The archive alone: the backlog that the sink drained waits for a bucket, too, and the archive writes it there. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Body } from "./bodies.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { createLoader, sendAll } from "./load.ts";
import { startOwnBucket } from "./own-bucket.ts";
import type { Pipeline } from "./pipeline.ts";
import { type Cost, measure } from "./processes.ts";
import { storedEvents, untilRedacted, untilStored } from "./stored.ts";

export interface ArchiveResult {
  readonly events: number;
  readonly eventsPerSecond: number;
  /** Of the same backlog, a moment before and by itself. */
  readonly sinkPerSecond: number;
  readonly objects: number;
  readonly bytesPerEvent: number;
  readonly costs: readonly Cost[];
}

interface Status {
  readonly events: number;
  readonly objects: number;
  readonly bytes: number;
}

interface Seen extends Status {
  readonly at: number;
}

const quietMs = 60_000;
/** Longer than a piece waits to be full. */
const calmMs = 12_000;

export const runArchive = async (
  pipeline: Pipeline,
  bodies: readonly Body[],
  connections: number,
): Promise<ArchiveResult> => {
  const { stack, platform } = pipeline;
  const clickhouse = connectClickHouse(stack.clickhouse);
  const bucket = await startOwnBucket();
  try {
    const api = pipeline.service("api").url;
    const connection = await bucket.connect(api, platform.adminKey);
    const status = async (): Promise<Status> => {
      const answer = await fetch(`${api}/api/v1/storage/archives`, {
        headers: { authorization: `Bearer ${platform.adminKey}` },
      });
      const { archives = [] } = (await answer.json()) as { archives?: (Status & { connection: string })[] };
      return archives.find((one) => one.connection === connection) ?? { events: 0, objects: 0, bytes: 0 };
    };
    const events = bodies.reduce((sum, body) => sum + body.events, 0);
    const before = await storedEvents(clickhouse, platform.tenant);
    await pipeline.service("sink").kill("SIGTERM");
    const loader = createLoader(pipeline.target(), connections);
    await sendAll(loader, bodies, connections, () => undefined);
    loader.close();
    await untilRedacted(pipeline);

    await pipeline.start("sink");
    // The clocks start with the first that is seen, so that starting a process is not counted.
    let begun: { at: number; events: number } | undefined;
    await untilStored(clickhouse, platform.tenant, before + events, (stored) => {
      if (stored > before) begun ??= { at: performance.now(), events: stored };
    });
    const sinkPerSecond = ((before + events - (begun?.events ?? 0)) / (performance.now() - (begun?.at ?? 0))) * 1_000;

    const archive = await pipeline.start("archive");
    const costs = measure({ archive: archive.pid, clickhouse: stack.servers.clickhouse.pid() ?? 0 });
    let first: Seen | undefined;
    let last: Seen = { at: performance.now(), ...(await status()) };
    const seen: Seen[] = [];
    // Whatever else of the organization is in Kafka goes there, too: it is over when nothing more comes.
    while (performance.now() - last.at < (last.events < events ? quietMs : calmMs)) {
      await sleep(50);
      const now = { at: performance.now(), ...(await status()) };
      if (now.events === last.events) continue;
      last = now;
      first ??= now;
      seen.push(now);
    }
    // The last pieces are not full, and wait for company that does not come.
    const nearly = seen.find((one) => one.events >= last.events * 0.95) ?? last;
    const spent = costs();
    const { rows, different } = await bucket.rows(clickhouse, connection);
    if (rows !== last.events || different !== rows)
      throw new Error(`the bucket has ${rows} rows, ${different} different, of ${last.events} events`);
    return {
      ...{ events: last.events, sinkPerSecond, objects: last.objects, bytesPerEvent: last.bytes / last.events },
      eventsPerSecond: ((nearly.events - (first?.events ?? 0)) / (nearly.at - (first?.at ?? 0))) * 1_000,
      costs: spent,
    };
  } finally {
    clickhouse.close();
    await bucket.stop();
  }
};
