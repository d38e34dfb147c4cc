/** Looks whether a backup is whole: each of its objects is fetched, its checksum compared, and opened. */
import { Fault } from "@astralog/chassis";
import type { Vault } from "./config.ts";
import { keySlicesOf, type Manifest, slicesOf } from "./manifest.ts";
import { createReader } from "./vault.ts";

const getsAtOnce = 4;

export interface Checked {
  readonly objects: number;
  readonly bytes: number;
  /** What is wrong; empty when the backup is sound. */
  readonly problems: readonly string[];
}

/** `withKeys`: also the data keys, which only the newest backup has. */
export const checkBackup = async (vault: Vault, manifest: Manifest, withKeys: boolean): Promise<Checked> => {
  const open = await createReader(vault, manifest);
  const slices = withKeys ? [...slicesOf(manifest), ...keySlicesOf(manifest)] : slicesOf(manifest);
  const waiting = slices.flatMap(({ of, slice }) => slice.pieces.map((piece) => ({ of, piece }))).values();
  const problems: string[] = [];
  let [objects, bytes] = [0, 0];
  await Promise.all(
    Array.from({ length: getsAtOnce }, async () => {
      for (const { of, piece } of waiting) {
        try {
          await open(piece);
        } catch (error) {
          if (error instanceof Fault && error.retriable) throw error;
          problems.push(`${of}: ${error instanceof Fault ? error.message : `${piece.name} does not open.`}`);
        }
        objects += 1;
        bytes += piece.bytes;
      }
    }),
  );
  return { objects, bytes, problems };
};
