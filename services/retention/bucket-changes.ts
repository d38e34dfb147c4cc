/**
 * Changes of finished objects in one bucket: some go, and at most one comes in their place. What is going to be is said
 * first; it holds with one put that only one can make; what went is removed after that. Whoever comes upon a plan without an
 * end abandons it, and a plan that was abandoned can never be ended: so a kill at any point loses nothing and doubles nothing.
 */
import { hash } from "node:crypto";
import { type Bucket, Fault, listAll, readHead } from "@astralog/chassis";
import { type ArchiveChange, archiveNames, changeNames } from "@astralog/schemas/storage";

export interface Wanted {
  readonly why: string;
  readonly removed: readonly string[];
  /** What comes in their place; made after it was said. */
  readonly put?: {
    readonly day: string;
    readonly source: string;
    /** Undefined when nothing is left of them. */
    make(): Promise<{ readonly events: number; readonly body: Buffer } | undefined>;
  };
}

export interface Changes {
  /** Ends what was begun by whoever was here before, and removes what came back though a change had removed it. */
  settle(): Promise<void>;
  /** Faults: `changed_meanwhile` (retriable), and those of a bucket. */
  make(wanted: Wanted): Promise<void>;
}

/** Nobody who was frozen for longer writes what he had begun. */
const rememberedMs = 2 * 86_400_000;

export const createChanges = (bucket: Bucket, now: () => number = Date.now): Changes => {
  /** Names that changes of the last days have removed. */
  const gone = new Map<string, number>();
  const read = new Set<string>();
  let cleaned = 0;

  const lost = (): Fault => new Fault("changed_meanwhile", "Another has changed the bucket.", { retriable: true });

  const end = async (change: ArchiveChange): Promise<boolean> =>
    bucket.putNew(changeNames.of(change.number, "done"), Buffer.from(JSON.stringify(change)));

  const clean = async (change: ArchiveChange): Promise<void> => {
    if (cleaned >= change.number) return;
    for (const name of change.removed) {
      await bucket.remove(name);
      gone.set(name, Date.parse(change.written_at));
    }
    cleaned = change.number;
  };

  /** The newest change, which is done and cleaned up; undefined before the first. */
  const settleHead = async (): Promise<number> => {
    let head = await readHead(bucket);
    if (head?.state === "plan") {
      const { version, number, why, put } = head;
      const abandoned: ArchiveChange = {
        ...{ version, number, state: "done", why: `abandoned: ${why}`, written_at: new Date(now()).toISOString() },
        ...{ put: [], removed: put.map(({ name }) => name) },
      };
      head = (await end(abandoned)) ? abandoned : await readHead(bucket);
      if (head?.state !== "done") throw lost();
    }
    if (head === undefined) return 0;
    await clean(head);
    return head.number;
  };

  /** What the changes of the last days removed, by whoever made them. */
  const recall = async (): Promise<void> => {
    const horizon = now() - rememberedMs;
    for (const [name, at] of gone) if (at < horizon) gone.delete(name);
    for await (const { name, modified } of listAll(bucket, changeNames.folder)) {
      if (modified < horizon) return;
      if (!name.endsWith("-done.json") || read.has(name)) continue;
      const body = await bucket.get(name);
      if (body === undefined) continue;
      const change = JSON.parse(body.toString()) as ArchiveChange;
      for (const one of change.removed) gone.set(one, Date.parse(change.written_at));
      read.add(name);
    }
  };

  return {
    settle: async () => {
      await settleHead();
      await recall();
      for await (const { name } of listAll(bucket, "events/")) if (gone.has(name)) await bucket.remove(name);
    },
    make: async ({ why, removed, put }) => {
      const number = (await settleHead()) + 1;
      const name = put === undefined ? undefined : archiveNames.changed(put.day, put.source, number);
      const planned = name === undefined ? [] : [{ name, events: 0, bytes: 0, sha256: "" }];
      const plan: ArchiveChange = {
        ...{ version: 1, number, state: "plan", why, written_at: new Date(now()).toISOString() },
        ...{ put: planned, removed },
      };
      if (!(await bucket.putNew(changeNames.of(number, "plan"), Buffer.from(JSON.stringify(plan))))) throw lost();
      const made = await put?.make();
      if (made !== undefined && name !== undefined && !(await bucket.putNew(name, made.body))) throw lost();
      const object =
        made === undefined || name === undefined
          ? []
          : [{ name, events: made.events, bytes: made.body.length, sha256: hash("sha256", made.body) }];
      const done: ArchiveChange = { ...plan, state: "done", put: object, written_at: new Date(now()).toISOString() };
      if (!(await end(done))) throw lost();
      await clean(done);
    },
  };
};
