/**
 * Lines in, acknowledged events out. What is counted as accepted was confirmed by the receiver; every other line is
 * counted too, as rejected with its reason or as unsent.
 */
import { isUtf8 } from "node:buffer";
import { type Chunk, createChunker, type Origin } from "./chunks.ts";
import { type Delivery, deliver, type Outcome } from "./deliver.ts";
import { detectFormat, eventWriter, type LineFormat } from "./events.ts";
import type { Failure } from "./failure.ts";
import type { Input } from "./inputs.ts";
import { readBytes, splitLines } from "./lines.ts";

/** An event's limit in the receiver; a longer line need not be held in memory to be refused. */
const maxLineBytes = 1 << 20;
const maxChunkBytes = 4 << 20;
const reasonsKept = 20;

export interface SendOptions {
  readonly format: LineFormat | "auto";
  readonly fields: Record<string, string>;
  readonly batch: number;
  readonly parallel: number;
  /** A chunk that is not full is sent after this long, so that `tail -f` is not held back; 0 waits until it is full. */
  readonly lingerMs: number;
}

export interface Report {
  lines: number;
  accepted: number;
  rejected: number;
  unsent: number;
  /** Lines of text whose bytes were no UTF-8; each bad byte became U+FFFD. */
  mended: number;
  /** Inputs that were not read to their end, with the last line that was. */
  readonly unread: Origin[];
  bytesRead: number;
  wire: number;
  retries: number;
  lastTrouble: string;
  readonly receipts: string[];
  /** How often each reason was given, and where first. */
  readonly reasons: Map<string, { count: number; first: Origin }>;
}

export const emptyReport = (): Report => ({
  lines: 0,
  accepted: 0,
  rejected: 0,
  unsent: 0,
  mended: 0,
  unread: [],
  bytesRead: 0,
  wire: 0,
  retries: 0,
  lastTrouble: "",
  receipts: [],
  reasons: new Map(),
});

const reject = (report: Report, origin: Origin, reason: string, count = 1): void => {
  report.rejected += count;
  const known = report.reasons.get(reason);
  if (known !== undefined) known.count += count;
  else if (report.reasons.size < reasonsKept) report.reasons.set(reason, { count, first: origin });
};

const record = (report: Report, chunk: Chunk, outcome: Outcome): void => {
  const nowhere: Origin = { input: "", line: 0 };
  const first = chunk.origins[0] ?? nowhere;
  const size = chunk.events.length;
  switch (outcome.kind) {
    case "answered":
      report.accepted += outcome.accepted;
      if (outcome.receipt !== "") report.receipts.push(outcome.receipt);
      for (const { index, reason } of outcome.rejected) reject(report, chunk.origins[index] ?? first, reason);
      report.unsent += Math.max(0, size - outcome.accepted - outcome.rejected.length);
      return;
    case "refused":
      return reject(report, first, outcome.reason, size);
    case "unsent":
      report.unsent += size;
      report.lastTrouble = outcome.reason;
      return;
    case "hopeless":
      report.unsent += size;
  }
};

/**
 * Sends all lines of all inputs. `report` is kept up to date while it runs. Rejects with the Failure that made further
 * sending useless; `report` then says how far it came.
 */
export const sendAll = async (
  inputs: readonly Input[],
  delivery: Omit<Delivery, "onRetry" | "onWire">,
  options: SendOptions,
  report: Report,
): Promise<void> => {
  const chunker = createChunker(options.batch, maxChunkBytes);
  const write = eventWriter(options.fields);
  const underWay = new Set<Promise<void>>();
  let hopeless: Failure | undefined;
  let givenUp = false;
  const full: Delivery = {
    ...delivery,
    onRetry: (reason) => {
      report.retries++;
      report.lastTrouble = reason;
    },
    onWire: (bytes) => {
      report.wire += bytes;
    },
  };
  const stopped = (): boolean => hopeless !== undefined || givenUp || delivery.stop.aborted;

  const dispatch = async (chunk: Chunk | undefined): Promise<void> => {
    if (chunk === undefined) return;
    while (underWay.size >= options.parallel) await Promise.race(underWay);
    if (stopped()) {
      report.unsent += chunk.events.length;
      return;
    }
    const task = deliver(chunk, full).then((outcome) => {
      record(report, chunk, outcome);
      if (outcome.kind === "hopeless") hopeless ??= outcome.failure;
      // The next chunk would meet the same trouble for as long again.
      if (outcome.kind === "unsent") givenUp = true;
    });
    underWay.add(task);
    void task.finally(() => underWay.delete(task));
  };

  const readOne = async (input: Input): Promise<void> => {
    let format: LineFormat | undefined = options.format === "auto" ? undefined : options.format;
    const stream = input.open();
    const onStop = (): void => void stream.destroy();
    let lastLine = 0;
    delivery.stop.addEventListener("abort", onStop, { once: true });
    try {
      const bytes = readBytes(stream, input.name, (n) => {
        report.bytesRead += n;
      });
      for await (const lines of splitLines(bytes, maxLineBytes)) {
        for (const line of lines) {
          report.lines++;
          lastLine = line.number;
          const origin = { input: input.name, line: line.number };
          if (line.bytes === undefined) {
            reject(report, origin, "the line is longer than 1 MiB, the limit of an event");
            continue;
          }
          format ??= detectFormat(line.bytes);
          if (!isUtf8(line.bytes)) {
            if (format === "json") {
              reject(report, origin, "the line is not UTF-8");
              continue;
            }
            report.mended++;
          }
          await dispatch(chunker.add(write(line.bytes, format), origin));
        }
        if (stopped()) break;
      }
    } catch (error) {
      if (!delivery.stop.aborted) throw error;
    } finally {
      if (stopped()) report.unread.push({ input: input.name, line: lastLine });
      delivery.stop.removeEventListener("abort", onStop);
      stream.destroy();
    }
  };

  const flush = (): void => {
    if (underWay.size === 0) void dispatch(chunker.rest());
  };
  const linger = options.lingerMs === 0 ? undefined : setInterval(flush, options.lingerMs);
  try {
    for (const input of inputs) {
      if (stopped()) report.unread.push({ input: input.name, line: 0 });
      else await readOne(input);
    }
  } finally {
    clearInterval(linger);
    await dispatch(chunker.rest());
    while (underWay.size > 0) await Promise.all(underWay);
  }
  if (hopeless !== undefined) throw hopeless;
};
