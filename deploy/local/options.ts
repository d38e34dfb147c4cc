/** The options of `npm start`. */
import { isIP } from "node:net";
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
  /** CIDR blocks that webhooks, identity providers and buckets may be in though they are not public. */
  readonly outgoingAllowed: readonly string[];
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

  OUTGOING_ALLOWED=127.0.0.0/8 npm start   also lets webhooks, identity providers and buckets be on this machine; takes CIDR
                                           blocks with commas between
`;

const restorable = ["", "all", "postgres", "clickhouse"] as const;
/** An address alone is a block of one. */
const isBlock = (text: string): boolean => {
  const [address = "", bits, ...more] = text.split("/");
  const most = { 4: 32, 6: 128 }[isIP(address)];
  if (most === undefined || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
};

const levels = ["trace", "debug", "info", "warn", "error"];

/** The options, or the text to show instead: the usage, or what is wrong. */
export const readOptions = (
  args: readonly string[],
  { OUTGOING_ALLOWED = "" }: Readonly<Record<string, string | undefined>> = {},
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
    const outgoingAllowed = OUTGOING_ALLOWED.split(",")
      .map((block) => block.trim())
      .filter((block) => block !== "");
    const wrong = outgoingAllowed.find((block) => !isBlock(block));
    if (wrong !== undefined)
      return {
        text: `OUTGOING_ALLOWED has "${wrong}"; it takes CIDR blocks such as 127.0.0.0/8 or ::1/128.\n`,
        wrong: true,
      };
    const { fresh, headless, bucket } = values;
    const restore = restorable.find((what) => what === values.restore);
    if (restore === undefined)
      return { text: `--restore must be all, postgres or clickhouse, not "${values.restore}".\n`, wrong: true };
    if (restore !== "" && (!bucket || fresh))
      return { text: "--restore needs --bucket, where the backups are, and --fresh would remove them.\n", wrong: true };
    return { fresh, headless, bucket, restore, listen: values.listen, logLevel: values["log-level"], outgoingAllowed };
  } catch (error) {
    return { text: `${error instanceof Error ? error.message : String(error)}\n\n${usage}`, wrong: true };
  }
};
