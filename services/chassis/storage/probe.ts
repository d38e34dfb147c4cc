/** Whether a bucket lets us do what an archive needs, and no more than that is tried: each right by its own small act. */
import { randomBytes } from "node:crypto";
import { Fault } from "../fault.ts";
import type { Bucket } from "./bucket.ts";

export const storageRights = ["put", "put_if_new", "get", "list", "delete"] as const;
export type StorageRight = (typeof storageRights)[number];

export interface ProbeResult {
  readonly ok: boolean;
  /** The first right that is lacking. */
  readonly lacking: StorageRight | null;
  /** What the server said to that, by its code, and what to do; empty when all is well. */
  readonly problem: string;
}

const remedies: Record<StorageRight, string> = {
  put: "Allow s3:PutObject under the prefix.",
  put_if_new: "The server must hold to If-None-Match on puts (Amazon S3, R2, MinIO and Ceph do in present versions).",
  get: "Allow s3:GetObject under the prefix.",
  list: "Allow s3:ListBucket on the bucket, for the prefix.",
  delete: "Allow s3:DeleteObject under the prefix.",
};

/** Writes one object under the bucket's folder and takes it away again. Never rejects. */
export const probeBucket = async (bucket: Bucket): Promise<ProbeResult> => {
  const name = `probe/${randomBytes(9).toString("hex")}`;
  const body = Buffer.from("astralog asks whether it may write, read, list and delete here\n");
  const lacks = (right: StorageRight, said: string): ProbeResult => ({
    ...{ ok: false, lacking: right },
    problem: `${right}: ${said} ${remedies[right]}`,
  });
  const acts: Record<StorageRight, () => Promise<boolean>> = {
    put: () => bucket.putNew(name, body),
    put_if_new: async () => !(await bucket.putNew(name, Buffer.from("twice"))),
    get: async () => (await bucket.get(name))?.equals(body) === true,
    list: async () => (await bucket.list("probe/")).some((one) => one.name === name),
    delete: async () => {
      await bucket.remove(name);
      return (await bucket.get(name)) === undefined;
    },
  };
  for (const right of storageRights) {
    try {
      if (!(await acts[right]())) return lacks(right, "The server did something else than it was asked for.");
    } catch (error) {
      if (right !== "put" && right !== "delete") await bucket.remove(name).catch(() => undefined);
      return lacks(right, error instanceof Fault ? error.message : "It could not be tried.");
    }
  }
  return { ok: true, lacking: null, problem: "" };
};
