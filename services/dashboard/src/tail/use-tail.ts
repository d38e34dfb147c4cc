/** The last lines of a live tail. They are drawn a few times a second, however many come; a pause keeps them aside. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { Problem } from "../api/client.ts";
import { type Line, listen } from "./listen.ts";

/** Beyond this the oldest fall away: it is a window on what happens, not a store. */
export const keptLines = 10_000;
const drawEveryMs = 120;
const rateSeconds = 5;

export interface Tail {
  readonly lines: readonly Line[];
  readonly state: "connecting" | "live" | "away";
  readonly problem: Problem | undefined;
  /** Events a second, over the last few. */
  readonly rate: number;
  /** Of how many the query found these. */
  readonly looked: number;
  readonly shown: number;
  /** Lines that came since the pause. */
  readonly held: number;
  clear(): void;
}

interface Drawn {
  readonly lines: readonly Line[];
  readonly rate: number;
  readonly held: number;
  readonly shown: number;
}

const nothing: Drawn = { lines: [], rate: 0, held: 0, shown: 0 };

export const useTail = (q: string, paused: boolean): Tail => {
  const [connection, setConnection] = useState<{ state: Tail["state"]; problem?: Problem | undefined }>({
    state: "connecting",
  });
  const [looked, setLooked] = useState(0);
  const [drawn, setDrawn] = useState(nothing);
  const store = useRef({
    lines: [] as Line[],
    held: [] as Line[],
    seconds: new Map<number, number>(),
    shown: 0,
    changed: false,
  });
  const isPaused = useRef(paused);
  isPaused.current = paused;

  useEffect(() => {
    const own = {
      lines: [] as Line[],
      held: [] as Line[],
      seconds: new Map<number, number>(),
      shown: 0,
      changed: true,
    };
    store.current = own;
    setLooked(0);
    setDrawn(nothing);
    const add = (to: Line[], lines: readonly Line[]): void => {
      to.push(...lines);
      if (to.length > keptLines * 1.2) to.splice(0, to.length - keptLines);
    };
    const stop = listen(q, {
      onState: (state, problem) => setConnection({ state, problem }),
      onLooked: setLooked,
      onLines: (lines) => {
        const second = Math.floor(Date.now() / 1000);
        const events = lines.filter(({ kind }) => kind === "event").length;
        own.seconds.set(second, (own.seconds.get(second) ?? 0) + events);
        own.shown += events;
        add(isPaused.current ? own.held : own.lines, lines);
        own.changed = true;
      },
    });
    const draw = setInterval(() => {
      const now = Math.floor(Date.now() / 1000);
      for (const second of own.seconds.keys()) if (second < now - rateSeconds) own.seconds.delete(second);
      if (!isPaused.current && own.held.length > 0) {
        add(own.lines, own.held);
        own.held = [];
        own.changed = true;
      }
      const rate = Math.round(
        [...own.seconds].reduce((sum, [at, count]) => (at < now ? sum + count : sum), 0) / rateSeconds,
      );
      const { changed } = own;
      own.changed = false;
      setDrawn((before) =>
        changed || before.rate !== rate
          ? { lines: changed ? [...own.lines] : before.lines, rate, held: own.held.length, shown: own.shown }
          : before,
      );
    }, drawEveryMs);
    return () => {
      stop();
      clearInterval(draw);
    };
  }, [q]);

  const clear = useCallback(() => {
    store.current.lines.length = 0;
    store.current.held.length = 0;
    store.current.changed = true;
  }, []);
  return { ...drawn, ...connection, problem: connection.problem, looked, clear };
};
