/** The last lines of a tenant, so that a listener whose connection broke can go on where he was. Bounded by count, bytes. */
import type { LiveEvent, LiveHeader } from "./live-events.ts";

export interface RingLine extends LiveEvent {
  /** 1, 2, 3 … in this tenant since this process began to listen for it. */
  readonly seq: number;
  readonly header: LiveHeader;
  /** As JSON, made when the first listener needs it. */
  json(): string;
}

export interface TailRing {
  readonly last: number;
  add(line: RingLine): void;
  /** The lines behind `seq`, or undefined when some of them are gone. */
  since(seq: number): RingLine[] | undefined;
}

export const createTailRing = (maxLines: number, maxBytes: number): TailRing => {
  const lines: RingLine[] = [];
  let first = 0;
  let bytes = 0;
  let last = 0;
  return {
    get last() {
      return last;
    },
    add: (line) => {
      lines.push(line);
      last = line.seq;
      bytes += line.bytes;
      while (lines.length - first > maxLines || (bytes > maxBytes && lines.length - first > 1)) {
        bytes -= lines[first]?.bytes ?? 0;
        first++;
      }
      if (first > maxLines) {
        lines.splice(0, first);
        first = 0;
      }
    },
    since: (seq) => {
      if (seq > last) return undefined;
      if (seq === last) return [];
      const oldest = lines[first]?.seq ?? last + 1;
      return seq + 1 < oldest ? undefined : lines.slice(first + seq + 1 - oldest);
    },
  };
};
