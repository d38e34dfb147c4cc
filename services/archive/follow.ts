/** Runs one thing for each connection that is to be written to: begins it, begins it anew when it was changed, ends it. */
import type { Log } from "@astralog/chassis";

export interface Followed {
  readonly id: string;
  readonly tenant: string;
  readonly version: number;
  readonly sealed: string;
}

/** Until what could not begin is tried again. */
const againMs = 5_000;

const versionOf = (one: Followed | undefined): string => (one === undefined ? "" : `${one.version} ${one.sealed}`);

export const createFollow = <C extends Followed>(deps: {
  readonly log: Log;
  /** Whether anything is written there. */
  isWanted(connection: C): boolean;
  start(connection: C): Promise<{ close(): Promise<void> }>;
  /** The connection is no more. */
  ended(connection: C): Promise<void>;
  /** How many run now. */
  counted(running: number): void;
}) => {
  const { log } = deps;
  const known = new Map<string, C>();
  const gone = new Map<string, C>();
  const running = new Map<string, { version: string; begun: ReturnType<typeof deps.start> }>();
  let closed = false;
  let settling = Promise.resolve();

  const settle = async (key: string): Promise<void> => {
    const said = known.get(key);
    const connection = closed || said === undefined || !deps.isWanted(said) ? undefined : said;
    const there = running.get(key);
    if (there?.version !== versionOf(connection) && there !== undefined) {
      running.delete(key);
      await (await there.begun.catch(() => undefined))?.close();
    }
    if (connection !== undefined && running.get(key) === undefined) {
      try {
        const begun = deps.start(connection);
        running.set(key, { version: versionOf(connection), begun });
        await begun;
      } catch (error) {
        running.delete(key);
        log.error({ err: error, connection: connection.id }, "a connection could not begin; it is tried again");
        setTimeout(() => change(key), againMs).unref();
      }
    }
    const over = gone.get(key);
    if (over !== undefined && gone.delete(key)) await deps.ended(over);
    deps.counted(running.size);
  };
  const change = (key: string): void => {
    settling = settling.then(() => settle(key));
  };

  return {
    /** What the control topic says of a key; undefined: that it is no more. */
    said: (key: string, connection: C | undefined): void => {
      const before = known.get(key);
      if (connection === undefined) {
        known.delete(key);
        if (before !== undefined) gone.set(key, before);
      } else {
        known.set(key, connection);
        gone.delete(key);
      }
      change(key);
    },
    close: async (): Promise<void> => {
      closed = true;
      for (const key of running.keys()) change(key);
      await settling;
    },
  };
};
