/** Where the operator keeps what organizations take out: a folder that api and retention share, or a bucket of his. */
import { type Config, field, type Shape } from "../config.ts";
import { anyAddress, createOutgoing } from "../outgoing.ts";
import { type Bucket, createBucket } from "./bucket.ts";
import { createFolder } from "./folder.ts";

export const takeoutShape = {
  TAKEOUT_FOLDER: field.text("A folder that api and retention share, for what organizations take out.", ""),
  TAKEOUT_BUCKET: field
    .text(
      "A bucket in its place, as https://endpoint/bucket/prefix; with neither, only organizations' own buckets serve.",
      "",
    )
    .refine(
      (text) => text === "" || (URL.canParse(text) && /^\/[^/]+/.test(new URL(text).pathname)),
      "must be https://endpoint/bucket, with a prefix behind it or none",
    ),
  TAKEOUT_BUCKET_REGION: field.text("Its region.", "us-east-1"),
  TAKEOUT_BUCKET_ACCESS_KEY_ID: field.text("Who may put, get, list and delete there.", ""),
  TAKEOUT_BUCKET_SECRET_ACCESS_KEY: field.secret("Its secret.", ""),
} satisfies Shape;

/** Undefined where the operator keeps none. Throws on an address that is none. */
export const openTakeouts = (config: Config<typeof takeoutShape>): Bucket | undefined => {
  if (config.TAKEOUT_BUCKET === "")
    return config.TAKEOUT_FOLDER === "" ? undefined : createFolder(config.TAKEOUT_FOLDER);
  const { origin, pathname } = new URL(config.TAKEOUT_BUCKET);
  const [, bucket = "", ...rest] = pathname.split("/").map(decodeURIComponent);
  const prefix = rest.filter((part) => part !== "").join("/");
  return createBucket({
    settings: {
      ...{ kind: "compatible", endpoint: origin, region: config.TAKEOUT_BUCKET_REGION, bucket, prefix },
      ...{ encryption: "bucket", kms_key: "" },
    },
    keys: {
      access_key_id: config.TAKEOUT_BUCKET_ACCESS_KEY_ID,
      secret_access_key: config.TAKEOUT_BUCKET_SECRET_ACCESS_KEY,
    },
    folder: prefix === "" ? "" : `${prefix}/`,
    outgoing: createOutgoing({ allowed: anyAddress }),
  });
};
