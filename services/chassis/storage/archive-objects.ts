/** Which objects of an archive hold its events now. */
import { type ArchiveChange, changeNames, otherDay } from "@astralog/schemas/storage";
import { Fault } from "../fault.ts";
import type { Bucket, Listed } from "./bucket.ts";

export interface ArchivedObject extends Listed {
  /** YYYY-MM-DD or `otherDay`. */
  readonly day: string;
  readonly source: string;
}

export interface Which {
  /** Left out: every day. `otherDay` is among them in any case: its events may be of any. */
  readonly days?: readonly string[] | undefined;
  readonly sources: "all" | ReadonlySet<string>;
  /** More objects than these are a Fault, `too_many_objects`. */
  readonly most?: number;
}

const page = 1_000;
const listsAtOnce = 8;

/** All objects below a prefix, in the order of their names. */
export async function* listAll(bucket: Bucket, prefix: string): AsyncGenerator<Listed, void, undefined> {
  for (let after: string | undefined; ; ) {
    const listed = await bucket.list(prefix, after === undefined ? {} : { after });
    yield* listed;
    if (listed.length < page) return;
    after = listed.at(-1)?.name;
  }
}

/** Undefined for what is no object of events. */
export const asArchived = (listed: Listed): ArchivedObject | undefined => {
  const [, day, source] = /^events\/day=([^/]+)\/source=([^/]+)\/[^/]+\.parquet$/.exec(listed.name) ?? [];
  return day === undefined || source === undefined ? undefined : { ...listed, day, source };
};

/** The newest change; undefined where there was none. */
export const readHead = async (bucket: Bucket): Promise<ArchiveChange | undefined> => {
  const [newest] = await bucket.list(changeNames.folder, { most: 1 });
  if (newest === undefined) return undefined;
  const body = await bucket.get(newest.name);
  if (body === undefined) throw new Fault("storage_failed", "A change that was there is gone.", { retriable: true });
  return JSON.parse(body.toString()) as ArchiveChange;
};

/** Names that a glob finds and that do not count. */
const hiddenBy = (head: ArchiveChange | undefined): ReadonlySet<string> =>
  new Set(head?.state === "plan" ? head.put.map(({ name }) => name) : head?.removed);

const isSame = (a: ArchiveChange | undefined, b: ArchiveChange | undefined): boolean =>
  a?.number === b?.number && a?.state === b?.state;

const triesMost = 5;

/** Each event of the archive is in exactly one of these. Faults: those of a bucket, and `too_many_objects`. */
export const listArchive = async (bucket: Bucket, which: Which): Promise<ArchivedObject[]> => {
  const { days, sources, most = Number.POSITIVE_INFINITY } = which;
  const prefixes =
    days === undefined ? ["events/"] : [...new Set([...days, otherDay])].map((day) => `events/day=${day}/`);
  for (let tries = 1; ; tries++) {
    const before = await readHead(bucket);
    const hidden = hiddenBy(before);
    const found: ArchivedObject[] = [];
    const waiting = prefixes.values();
    await Promise.all(
      Array.from({ length: Math.min(listsAtOnce, prefixes.length) }, async () => {
        for (const prefix of waiting)
          for await (const listed of listAll(bucket, prefix)) {
            const one = asArchived(listed);
            if (one === undefined || hidden.has(one.name) || (sources !== "all" && !sources.has(one.source))) continue;
            found.push(one);
            if (found.length > most)
              throw new Fault("too_many_objects", `There are more than ${most} objects in this time.`);
          }
      }),
    );
    // A change between the lists would be seen half.
    if (isSame(before, await readHead(bucket))) return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (tries === triesMost)
      throw new Fault("storage_failed", "The bucket is being changed; ask again in a moment.", { retriable: true });
  }
};
