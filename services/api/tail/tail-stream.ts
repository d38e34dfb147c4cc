/**
 * One listener's answer as server-sent events. What a slow reader cannot take is held up to a bound, then counted: he is
 * told how many lines he missed, at the place where he missed them. Nothing is ever left out unsaid.
 */

/** What a stream writes to: a response, or in tests anything that can be full. */
export interface Sink {
  /** False when the reader must catch up first. */
  write(text: string): boolean;
  onDrain(take: () => void): void;
  end(): void;
}

export interface Line {
  /** What Last-Event-ID gives back. */
  readonly id: string;
  /** The event as JSON. */
  readonly json: string;
}

export interface TailStream {
  lines(lines: readonly Line[]): void;
  /** Something that happened between lines; kept in order with them. */
  say(event: "open" | "gap" | "beat" | "end", data: object): void;
  end(): void;
}

export interface StreamLimits {
  /** Lines that wait for a slow reader. */
  readonly waiting: number;
  /** Lines a second that any one reader gets. */
  readonly perSecond: number;
}

/** A screen that is given more than this shows none of it; memory is bounded by both. */
export const streamLimits: StreamLimits = { waiting: 5_000, perSecond: 5_000 };

const frame = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

export const createTailStream = (sink: Sink, limits = streamLimits, now: () => number = Date.now): TailStream => {
  let waiting: string[] = [];
  let isFull = false;
  let missed = 0;
  let reason: "slow" | "rate" = "slow";
  let second = 0;
  let inSecond = 0;
  let ended = false;

  const settle = (): void => {
    if (missed === 0) return;
    waiting.push(frame("skipped", { count: missed, reason }));
    missed = 0;
  };
  const flush = (): void => {
    if (isFull || ended || waiting.length === 0) return;
    const text = waiting.join("");
    waiting = [];
    isFull = !sink.write(text);
  };
  sink.onDrain(() => {
    isFull = false;
    // The lines that waited come before those that were missed.
    if (reason === "slow") settle();
    flush();
  });

  const miss = (why: typeof reason): void => {
    if (missed > 0 && reason !== why) settle();
    reason = why;
    missed++;
  };
  const take = (line: Line): void => {
    const at = Math.floor(now() / 1000);
    if (at !== second) {
      second = at;
      inSecond = 0;
      if (reason === "rate") settle();
    }
    // Once lines are missed, all are until the reader has caught up: order is part of what is promised.
    if (isFull && (missed > 0 || waiting.length >= limits.waiting)) return miss("slow");
    if (inSecond >= limits.perSecond) return miss("rate");
    settle();
    inSecond++;
    waiting.push(`id: ${line.id}\ndata: ${line.json}\n\n`);
  };

  return {
    lines: (lines) => {
      for (const line of lines) take(line);
      flush();
    },
    say: (event, data) => {
      // A full reader learns from his beat that he is behind; it would only wait with the rest.
      if (isFull && event === "beat") return;
      settle();
      waiting.push(frame(event, data));
      flush();
    },
    end: () => {
      if (ended) return;
      flush();
      ended = true;
      sink.end();
    },
  };
};
