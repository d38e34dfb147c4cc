/**
 * Everybody who watches, over one reader of events.clean. It reads only the partitions that the listeners' tenants use and
 * decodes only their batches. A record that comes twice (a rewind of the redactor, a client's own retry) is shown once;
 * what could not be shown is said. A tenant's ring outlives its last listener for a while, for who comes back.
 */
import { Fault, type InRecord, type Log, type TopicTail } from "@astralog/chassis";
import { AvroError, randomBase62 } from "@astralog/schemas";
import type { Predicate } from "@astralog/schemas/query/index";
import { type LiveHeader, liveEvents, liveView } from "./live-events.ts";
import { createTailRing, type RingLine, type TailRing } from "./tail-ring.ts";
import type { TailStream } from "./tail-stream.ts";

export interface Listener {
  readonly tenant: string;
  /** Ids of the sources he may see. */
  readonly sources: "all" | ReadonlySet<string>;
  readonly matches: Predicate;
  /** False once his key or session has ended. */
  isAllowed(): Promise<boolean>;
  readonly stream: TailStream;
}

export interface TailHub {
  /** Resolves when every line from now on will come. `lastId` is where he was. Faults: `kafka_unavailable`, `too_many_listeners`. */
  listen(listener: Listener, lastId: string | undefined): Promise<() => void>;
  readonly listeners: number;
  close(): Promise<void>;
}

export interface HubDeps {
  readonly log: Log;
  readonly topicPrefix: string;
  openTail(handle: (records: readonly InRecord[]) => Promise<void>, onGap: () => void): Promise<TopicTail>;
  readHeader(value: Buffer | null): Promise<LiveHeader | undefined>;
  /** Of so many, those that the tenant's events may lie in. */
  partitionsOf(tenant: string, total: number): readonly number[];
  sourceName(tenant: string, source: string): string;
}

interface Room {
  readonly listeners: Set<Listener>;
  readonly ring: TailRing;
  partitions: readonly number[];
  emptySince: number;
  looked: number;
}

const maxListenersOfTenant = 50;
const maxListeners = 500;
const ringLines = 5_000;
const ringBytes = 4 * 2 ** 20;
const keepEmptyMs = 30_000;
const checkEveryMs = 500;
const beatEveryMs = 5_000;
const rememberedKeys = 20_000;

export const createTailHub = (deps: HubDeps): TailHub => {
  const { log, topicPrefix } = deps;
  /** Sequence numbers mean something in this process only. */
  const here = randomBase62(8);
  const rooms = new Map<string, Room>();
  const highest = new Map<string, number>();
  const keys = new Set<string>();
  let tail: Promise<TopicTail> | undefined;
  let closing = false;

  const everybody = () => [...rooms.values()].flatMap(({ listeners }) => [...listeners]);

  /** Whether the record is new: not a rewind, and not a client's retry of what was shown. */
  const isNew = ({ raw_topic: topic, raw_partition: partition, raw_offset: offset, dedup_id: key }: LiveHeader) => {
    const lane = `${topic}/${partition}`;
    if (offset <= (highest.get(lane) ?? -1)) return false;
    highest.set(lane, offset);
    if (key === "") return true;
    const known = keys.has(key);
    keys.delete(key);
    keys.add(key);
    if (keys.size > rememberedKeys) for (const oldest of keys.values()) if (keys.delete(oldest)) break;
    return !known;
  };

  const show = (room: Room, header: LiveHeader, value: Buffer): void => {
    const first = room.ring.last + 1;
    const lines = liveEvents(value, header).map((one, i): RingLine => {
      let text: string | undefined;
      return {
        ...one,
        header,
        seq: first + i,
        json: () =>
          (text ??= JSON.stringify(
            liveView(one, header, topicPrefix, deps.sourceName(header.tenant, header.source) || header.source),
          )),
      };
    });
    for (const line of lines) room.ring.add(line);
    room.looked += lines.length;
    for (const listener of room.listeners) give(listener, lines);
  };

  const give = (listener: Listener, lines: readonly RingLine[]): void => {
    const wanted = lines.filter(
      ({ header, event }) =>
        (listener.sources === "all" || listener.sources.has(header.source)) && listener.matches(event),
    );
    if (wanted.length > 0)
      listener.stream.lines(wanted.map((line) => ({ id: `${here}-${line.seq}`, json: line.json() })));
  };

  // Headers may have to ask the registry, so records wait for one another here, in order.
  let handled: Promise<void> = Promise.resolve();
  const handle = (records: readonly InRecord[]): Promise<void> => {
    handled = handled.then(async () => {
      for (const { value } of records) {
        const header = await deps.readHeader(value);
        if (header === undefined || value === null) {
          gap("a batch could not be read");
          continue;
        }
        const room = rooms.get(header.tenant);
        if (room === undefined || !isNew(header)) continue;
        try {
          show(room, header, value);
        } catch (error) {
          if (!(error instanceof AvroError)) throw error;
          gap("a batch could not be read");
        }
      }
    });
    handled = handled.catch((error) => {
      log.error({ err: error }, "a batch could not be shown to those who watch");
      gap("a batch could not be shown");
    });
    return handled;
  };
  const gap = (reason: string): void => {
    for (const { stream } of everybody()) stream.say("gap", { reason });
  };

  let total = 1;
  const reader = async (): Promise<TopicTail> => {
    tail ??= deps.openTail(handle, () => gap("events were gone before they could be read"));
    tail.catch(() => {
      tail = undefined;
    });
    const opened = await tail;
    total = opened.partitions;
    return opened;
  };
  const follow = async (): Promise<void> => {
    const wanted = new Set([...rooms.values()].flatMap(({ partitions }) => partitions));
    await (await reader()).follow(wanted);
  };

  const check = (): void => {
    let changed = false;
    for (const [tenant, room] of rooms) {
      for (const listener of room.listeners) {
        void listener.isAllowed().then((allowed) => allowed || dismiss(listener, "access has ended"));
      }
      if (room.listeners.size === 0 && Date.now() - room.emptySince > keepEmptyMs) {
        rooms.delete(tenant);
        changed = true;
        continue;
      }
      const partitions = deps.partitionsOf(tenant, total);
      if (String(partitions) === String(room.partitions)) continue;
      const grew = partitions.some((one) => !room.partitions.includes(one));
      room.partitions = partitions;
      changed = true;
      // Between the first event there and this moment nobody looked.
      if (grew) for (const { stream } of room.listeners) stream.say("gap", { reason: "the organization's share grew" });
    }
    if (changed) follow().catch((error) => log.warn({ err: error }, "the tail could not change its partitions yet"));
  };
  const checks = setInterval(check, checkEveryMs);
  const beats = setInterval(() => {
    for (const { listeners, looked } of rooms.values())
      for (const { stream } of listeners) stream.say("beat", { at: new Date().toISOString(), looked_at: looked });
  }, beatEveryMs);

  const dismiss = (listener: Listener, reason: string): void => {
    listener.stream.say("end", { reason });
    listener.stream.end();
    leave(listener);
  };
  const leave = (listener: Listener): void => {
    const room = rooms.get(listener.tenant);
    if (room?.listeners.delete(listener) === true && room.listeners.size === 0) room.emptySince = Date.now();
  };

  const roomOf = (tenant: string): Room => {
    const partitions = deps.partitionsOf(tenant, total);
    const ring = createTailRing(ringLines, ringBytes);
    const room = rooms.get(tenant) ?? { listeners: new Set(), ring, partitions, emptySince: Date.now(), looked: 0 };
    rooms.set(tenant, room);
    return room;
  };

  const resume = (room: Room, listener: Listener, lastId: string | undefined, isFresh: boolean): void => {
    const missed = lastId === undefined ? [] : isFresh ? undefined : room.ring.since(seqOf(lastId, here));
    listener.stream.say("open", { resumed: lastId !== undefined && missed !== undefined });
    if (missed === undefined) listener.stream.say("gap", { reason: "the connection was away for too long" });
    else give(listener, missed);
    room.listeners.add(listener);
  };

  return {
    listen: async (listener, lastId) => {
      const isFresh = !rooms.has(listener.tenant);
      if (
        (rooms.get(listener.tenant)?.listeners.size ?? 0) >= maxListenersOfTenant ||
        everybody().length >= maxListeners
      ) {
        throw new Fault("too_many_requests", `An organization may have ${maxListenersOfTenant} live tails at once.`);
      }
      let room: Room;
      try {
        await reader();
        room = roomOf(listener.tenant);
        await follow();
      } catch (error) {
        throw new Fault("kafka_unavailable", "The stream of events does not answer; what is stored can be searched.", {
          retriable: true,
          cause: error,
        });
      }
      if (closing) throw new Fault("starting", "The server is stopping; ask again.", { retriable: true });
      resume(room, listener, lastId, isFresh);
      return () => leave(listener);
    },
    get listeners() {
      return everybody().length;
    },
    close: async () => {
      closing = true;
      clearInterval(checks);
      clearInterval(beats);
      for (const listener of everybody()) dismiss(listener, "the server is stopping");
      await (await tail?.catch(() => undefined))?.close();
    },
  };
};

/** -1, which no ring holds, for an id of another process. */
const seqOf = (id: string, here: string): number => {
  const [instance, seq] = id.split("-");
  return instance === here && /^\d{1,15}$/.test(seq ?? "") ? Number(seq) : -1;
};
