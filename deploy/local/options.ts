/** The options of `npm start`. */
import { parseArgs } from "node:util";

export interface UpOptions {
  readonly fresh: boolean;
  readonly headless: boolean;
  /** Also a server of buckets, to try what a bucket of one's own is good for. */
  readonly bucket: boolean;
  /** What is restored from the newest backup before the services start: "" is nothing. */
  readonly restore: "" | "all" | "postgres" | "clickhouse";
  /** Where HTTPS and Kafka's TLS listener listen. */
  readonly listen: string;
  readonly logLevel: string;
}

export const usage = `npm start -- [options]

  --fresh            begin anew: removes all data, keys and logs of this checkout
  --headless         say when it is ready, then stay quiet (the logs are in .astralog/logs)
  --bucket           also start a server of buckets on this machine: one is connected, to try archives with, and
                     another takes a backup each hour
  --restore WHAT     first restore the newest backup into what is empty: all, postgres or clickhouse (with --bucket)
  --listen HOST      also serve HTTPS and Kafka over TLS to other machines, under this host name or address
  --log-level LEVEL  trace, debug, info (default), warn or error
  --help
`;

const restorable = ["", "all", "postgres", "clickhouse"] as const;
const levels = ["trace", "debug", "info", "warn", "error"];

/** The options, or the text to show instead: the usage, or what is wrong. */
export const readOptions = (
  args: readonly string[],
): UpOptions | { readonly text: string; readonly wrong: boolean } => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        fresh: { type: "boolean", default: false },
        headless: { type: "boolean", default: false },
        bucket: { type: "boolean", default: false },
        restore: { type: "string", default: "" },
        listen: { type: "string", default: "" },
        "log-level": { type: "string", default: "info" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { text: usage, wrong: false };
    if (!levels.includes(values["log-level"]))
      return { text: `--log-level must be one of ${levels.join(", ")}, not "${values["log-level"]}".\n`, wrong: true };
    const { fresh, headless, bucket } = values;
    const restore = restorable.find((what) => what === values.restore);
    if (restore === undefined)
      return { text: `--restore must be all, postgres or clickhouse, not "${values.restore}".\n`, wrong: true };
    if (restore !== "" && (!bucket || fresh))
      return { text: "--restore needs --bucket, where the backups are, and --fresh would remove them.\n", wrong: true };
    return { fresh, headless, bucket, restore, listen: values.listen, logLevel: values["log-level"] };
  } catch (error) {
    return { text: `${error instanceof Error ? error.message : String(error)}\n\n${usage}`, wrong: true };
  }
};
