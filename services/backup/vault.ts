/** Objects of backups in the bucket: sealed pieces, manifests, and what is left over of those that were cut off. */
import { hash, randomBytes } from "node:crypto";
import { Fault, listAll, openBytes, sealBytes } from "@astralog/chassis";
import type { Vault } from "./config.ts";
import {
  dataFolder,
  expired,
  idOfManifest,
  type Manifest,
  manifestName,
  neededBy,
  type Piece,
  readManifest,
  type Slice,
  signManifest,
} from "./manifest.ts";

/** An object is held in memory whole, a few at a time. */
const pieceBytes = 16 * 2 ** 20;
const putsAtOnce = 3;
const removesAtOnce = 8;

const boundKey = (id: string): string => JSON.stringify(["backup", id]);

const missing = (name: string): Fault => new Fault("backup_damaged", `The object ${name} is gone.`);

/** Cuts a stream into buffers of one size; the last is smaller. */
async function* pieces(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, pieceBytes - length);
      held.push(taken);
      length += taken.length;
      rest = rest.subarray(taken.length);
      if (length < pieceBytes) continue;
      yield Buffer.concat(held);
      [held, length] = [[], 0];
    }
  }
  if (length > 0) yield Buffer.concat(held);
}

export interface Writer {
  readonly dataKeys: Manifest["data_keys"];
  /** Seals and stores a stream. */
  store(stream: AsyncIterable<Buffer>): Promise<Piece[]>;
}

/** Writes objects of one backup, under a data key of its own. */
export const createWriter = async ({ bucket, keys }: Vault, id: string): Promise<Writer> => {
  const dataKey = randomBytes(32);
  const dataKeys = { [id]: { wrapped_by: keys.current, wrapped: await keys.wrap(dataKey, boundKey(id)) } };
  let count = 0;
  const put = async (plain: Buffer): Promise<Piece> => {
    const name = `${dataFolder(id)}${String(++count).padStart(6, "0")}`;
    const sealed = sealBytes(dataKey, plain, name);
    if (!(await bucket.putNew(name, sealed)))
      throw new Fault("backup_failed", `There is an object ${name} already: two backups have one id.`);
    return { name, bytes: sealed.length, sha256: hash("sha256", sealed) };
  };
  return {
    dataKeys,
    store: async (stream) => {
      const done: Promise<Piece>[] = [];
      const underWay = new Set<Promise<unknown>>();
      for await (const plain of pieces(stream)) {
        const putting = put(plain);
        done.push(putting);
        const settled: Promise<unknown> = putting.then(
          () => underWay.delete(settled),
          () => underWay.delete(settled),
        );
        underWay.add(settled);
        if (underWay.size >= putsAtOnce) await Promise.race(underWay);
      }
      return Promise.all(done);
    },
  };
};

export type Open = (piece: Piece) => Promise<Buffer>;

/** Reads a backup's objects. Faults: `backup_damaged`, and those of a bucket. */
export const createReader = async (
  { bucket, keys }: Vault,
  { data_keys }: Pick<Manifest, "data_keys">,
): Promise<Open> => {
  const opened = new Map<string, Buffer>();
  for (const [id, { wrapped, wrapped_by }] of Object.entries(data_keys))
    opened.set(id, await keys.unwrap(wrapped_by, wrapped, boundKey(id)));
  return async ({ name, sha256 }) => {
    const sealed = await bucket.get(name);
    if (sealed === undefined) throw missing(name);
    if (hash("sha256", sealed) !== sha256)
      throw new Fault("backup_damaged", `The object ${name} is not what the manifest says: its checksum is another.`);
    const key = opened.get(name.split("/")[1] ?? "");
    if (key === undefined) throw new Fault("backup_damaged", `The manifest has no key for ${name}.`);
    return openBytes(key, sealed, name);
  };
};

/** The slice's bytes; the next piece is fetched while one is used. */
export async function* contentOf({ pieces: all }: Slice, open: Open): AsyncGenerator<Buffer> {
  let next: Promise<Buffer> | undefined;
  for (const [i, piece] of all.entries()) {
    const present: Promise<Buffer> = next ?? open(piece);
    const following = all[i + 1];
    next = following === undefined ? undefined : open(following);
    next?.catch(() => undefined);
    yield await present;
  }
}

/** Whether the wrapped keys still open, and so the objects may be referred to by a new backup. */
export const canOpen = async (vault: Vault, manifest: Manifest): Promise<boolean> =>
  createReader(vault, manifest).then(
    () => true,
    () => false,
  );

export interface Found {
  readonly id: string;
  /** Undefined where `problem` says what is wrong with it. */
  readonly manifest: Manifest | undefined;
  readonly problem: string;
}

/** All backups that are complete, the newest first. */
export const listBackups = async ({ bucket, trusted }: Vault): Promise<Found[]> => {
  const found: Found[] = [];
  for await (const { name } of listAll(bucket, "manifests/")) {
    const id = idOfManifest(name);
    if (id === undefined) continue;
    const body = await bucket.get(name);
    if (body === undefined) continue;
    try {
      const manifest = readManifest(body.toString(), trusted);
      if (manifest.id !== id) throw new Fault("backup_refused", `The manifest is that of ${manifest.id}.`);
      found.push({ id, manifest, problem: "" });
    } catch (error) {
      found.push({ id, manifest: undefined, problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return found.reverse();
};

export const soundOf = (found: readonly Found[]): Manifest[] =>
  found.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest]));

export const finish = async ({ bucket, signer }: Vault, manifest: Manifest): Promise<void> => {
  if (!(await bucket.putNew(manifestName(manifest.id), Buffer.from(signManifest(signer, manifest)))))
    throw new Fault("backup_failed", `There is a backup ${manifest.id} already.`);
};

/**
 * Removes what is past its time, and every object that no backup needs, as those of one that was cut off. Call it while no
 * backup is being made. What is signed by keys that are not known here keeps its objects: it may be another deployment's.
 */
export const tidy = async (
  vault: Vault,
  { now, most }: { now: number; most: number },
): Promise<{ kept: Manifest[]; removed: string[]; objects: number }> => {
  const { bucket } = vault;
  const found = await listBackups(vault);
  const sound = soundOf(found);
  const removed = expired(sound, { now, most });
  // The manifest first: what is cut off here is never a backup with holes.
  for (const id of removed) await bucket.remove(manifestName(id));
  const kept = sound.filter(({ id }) => !removed.includes(id));
  if (found.length > sound.length) return { kept, removed, objects: 0 };
  const needed = neededBy(kept);
  const surplus: string[] = [];
  for await (const { name } of listAll(bucket, "data/")) if (!needed.has(name)) surplus.push(name);
  const waiting = surplus.values();
  await Promise.all(
    Array.from({ length: removesAtOnce }, async () => {
      for (const name of waiting) await bucket.remove(name);
    }),
  );
  return { kept, removed, objects: surplus.length };
};
