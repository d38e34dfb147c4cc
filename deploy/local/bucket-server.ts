/**
 * A server of buckets that speaks the S3 protocol on loopback, for tests and trials: S3Proxy over a folder. It checks
 * signatures and checksums, and holds to If-None-Match.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild, untilReady } from "./child.ts";
import { state } from "./paths.ts";
import { newPassword, writePrivate } from "./secrets.ts";

export interface BucketServer extends Child {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where the objects of its buckets lie, each bucket a folder. */
  readonly data: string;
}

const logging = fileURLToPath(new URL("s3-logback.xml", import.meta.url));

/** Ready when it answers; with these `buckets`. A start on the same folder with the same keys goes on where it was. */
export const startBucketServer = async (options: {
  dir: string;
  log: string;
  port: number;
  buckets: readonly string[];
  secretAccessKey?: string;
}): Promise<BucketServer> => {
  const { dir, log, port, buckets, secretAccessKey = newPassword() } = options;
  const data = join(dir, "data");
  for (const bucket of buckets) mkdirSync(join(data, bucket), { recursive: true, mode: 0o700 });
  const url = `http://127.0.0.1:${port}`;
  const accessKeyId = "astralog-local";
  const settings = join(dir, "s3proxy.conf");
  writePrivate(
    settings,
    Object.entries({
      "s3proxy.endpoint": url,
      "s3proxy.authorization": "aws-v4",
      "s3proxy.identity": accessKeyId,
      "s3proxy.credential": secretAccessKey,
      // Such as the token of a session, which is signed all the same.
      "s3proxy.ignore-unknown-headers": true,
      // What is put in one piece here is well below it.
      "s3proxy.v4-max-non-chunked-request-size": 512 * 2 ** 20,
      "jclouds.provider": "filesystem-nio2",
      "jclouds.filesystem.basedir": data,
    })
      .map(([name, value]) => `${name}=${String(value)}\n`)
      .join(""),
  );
  const child = await startChild({
    ...{ name: "buckets", command: "java", log, cwd: dir },
    args: [
      ...["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", `-Dlogback.configurationFile=${logging}`],
      ...["-cp", `${join(state, "tools", "s3")}/*`, "org.gaul.s3proxy.Main", "--properties", settings],
    ],
  });
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await untilReady(child, answers, 90_000);
  return { ...child, url, accessKeyId, secretAccessKey, data };
};
