/**
 * Configuration comes from environment variables and nowhere else. A shape names each variable once, with its type,
 * default and meaning; all that is wrong is said at once.
 *
 * A secret may come from a file: when NAME is secret, NAME_FILE names a file whose first line is used.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";

export type Shape = Record<string, z.ZodType>;
export type Config<S extends Shape> = { readonly [K in keyof S]: z.output<S[K]> };

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  - ${p}`).join("\n")}`);
    this.problems = problems;
  }
}

const optional = <T extends z.ZodType>(field: T, value: string | undefined, about: string): T =>
  (value === undefined ? field : z.preprocess((given) => (given === undefined ? value : given), field)).meta({
    description: about,
    ...(value === undefined ? {} : { fallback: value }),
  }) as unknown as T;

/** What stands in examples everywhere, and is therefore known to everybody. */
const samples =
  /^(?:<.*>|\$\{.*\}|(?:password|passwd|secret|changeme|change[-_ ]me|example|sample|default|test|admin|root|postgres|token|your[-_ ].*)\d{0,4})$/i;

/** Also as the password in a URL. */
const isSample = (text: string): boolean => {
  if (!URL.canParse(text)) return samples.test(text);
  const { password } = new URL(text);
  return password !== "" && samples.test(decodeURIComponent(password));
};

// 32 random bytes have some 30 different ones; examples are zeros, a counter, or a word.
const fewestDifferent = 16;
const isRandom = (bytes: Buffer): boolean =>
  new Set(bytes).size >= fewestDifferent && bytes.some((byte, i) => i > 0 && byte !== ((bytes[i - 1] ?? 0) + 1) % 256);

const key = z
  .string()
  .transform((text) => Buffer.from(text, "base64"))
  .refine((bytes) => bytes.length === 32, "must be 32 bytes in base64; make one with: openssl rand -base64 32")
  .refine(isRandom, "is a sample that everybody knows; make one with: openssl rand -base64 32");

/** The kinds of field. Each takes what it means and, unless it must be set, its default as the text one would write. */
export const field = {
  text: (about: string, fallback?: string) => optional(z.string(), fallback, about),
  secret: (about: string, fallback?: string) =>
    optional(
      z.string().refine((text) => !isSample(text), "is a sample that everybody knows; make one of your own"),
      fallback,
      about,
    ).meta({
      description: about,
      secret: true,
      ...(fallback === undefined ? {} : { fallback }),
    }),
  url: (about: string, fallback?: string) =>
    optional(
      z.string().refine((text) => URL.canParse(text), "must be a URL such as http://host:port"),
      fallback,
      about,
    ),
  port: (about: string, fallback?: string) => field.integer(about, { min: 0, max: 65_535 }, fallback),
  integer: (about: string, { min, max }: { min: number; max: number }, fallback?: string) =>
    optional(
      z
        .string()
        .regex(/^-?\d+$/, "must be a whole number")
        .transform(Number)
        .refine((n) => n >= min && n <= max, `must be from ${min} to ${max}`),
      fallback,
      about,
    ),
  /** Bytes: a whole number, or one with KiB, MiB or GiB. */
  bytes: (about: string, fallback?: string) =>
    optional(
      z
        .string()
        .regex(/^\d+ ?([KMG]iB)?$/, "must be bytes such as 65536, 512KiB or 64MiB")
        .transform((text) => {
          const unit = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[text.slice(-3)] ?? 1;
          return Number.parseInt(text, 10) * unit;
        }),
      fallback,
      about,
    ),
  flag: (about: string, fallback?: "true" | "false") =>
    optional(
      z.enum(["true", "false"], "must be true or false").transform((text) => text === "true"),
      fallback,
      about,
    ),
  list: (about: string, fallback?: string) =>
    optional(
      z.string().transform((text) =>
        text
          .split(",")
          .map((item) => item.trim())
          .filter((item) => item !== ""),
      ),
      fallback,
      about,
    ),
  choice: <const T extends string>(about: string, values: readonly T[], fallback?: T) =>
    optional(z.enum(values, `must be one of ${values.join(", ")}`), fallback, about),
  /** 32 bytes as base64: a key for AES-256. */
  key256: (about: string) => key.meta({ description: about, secret: true }),
  /** Several of them, comma separated. */
  keys256: (about: string, fallback?: string) =>
    optional(
      z
        .string()
        .transform((text) => text.split(",").filter((item) => item.trim() !== ""))
        .pipe(z.array(key)),
      fallback,
      about,
    ).meta({ description: about, secret: true, ...(fallback === undefined ? {} : { fallback }) }),
  /** The address of a page: browsers keep cookies and passkeys for https, and for http on this machine. */
  publicUrl: (about: string) =>
    z
      .string()
      .refine((text) => URL.canParse(text), "must be a URL such as https://astralog.example.com")
      .transform((text) => new URL(text))
      .refine(
        ({ protocol, hostname }) => protocol === "https:" || (protocol === "http:" && hostname === "localhost"),
        "must be https://, or http://localhost",
      )
      .refine(({ pathname, search, hash }) => pathname === "/" && search === "" && hash === "", "must have no path")
      .meta({ description: about }),
};

const isSecret = (type: z.ZodType): boolean => (type.meta() as { secret?: boolean } | undefined)?.secret === true;

/** Reads `shape` from `env`. Throws ConfigError with every problem, naming the variable and never its secret value. */
export const loadConfig = <S extends Shape>(shape: S, env: NodeJS.ProcessEnv = process.env): Config<S> => {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(shape)) {
    let given = env[name] === "" ? undefined : env[name];
    const file = env[`${name}_FILE`];
    if (given === undefined && file !== undefined && isSecret(type)) {
      try {
        given = readFileSync(file, "utf8").split("\n", 1)[0];
      } catch {
        problems.push(`${name}_FILE names ${file}, which cannot be read`);
        continue;
      }
    }
    const parsed = type.safeParse(given);
    if (parsed.success) config[name] = parsed.data;
    else if (given === undefined) problems.push(`${name} is not set: ${describe(type)}`);
    else
      problems.push(
        `${name} ${parsed.error.issues[0]?.message ?? "is wrong"}${isSecret(type) ? "" : `, not "${given}"`}`,
      );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config as Config<S>;
};

const describe = (type: z.ZodType): string => type.meta()?.description ?? "";

/** The shape as lines `NAME  default  meaning`, for --help and READMEs. */
export const describeShape = (shape: Shape): string =>
  Object.entries(shape)
    .map(([name, type]) => {
      const fallback = (type.meta() as { fallback?: string } | undefined)?.fallback;
      return `${name}\t${fallback === undefined ? "(required)" : fallback === "" ? "(empty)" : fallback}\t${describe(type)}`;
    })
    .join("\n");

/** What every service reads. */
export const chassisShape = {
  LOG_LEVEL: field.choice(
    "Least severe level that is logged.",
    ["trace", "debug", "info", "warn", "error", "fatal"],
    "info",
  ),
  OPS_HOST: field.text("Address of /livez, /readyz and /metrics.", "127.0.0.1"),
  OPS_PORT: field.port("Port of /livez, /readyz and /metrics; 0 takes a free one.", "0"),
  OPS_PORT_FILE: field.text("File that the chosen ops port is written to; empty writes none.", ""),
} satisfies Shape;

/** What every service that speaks to Kafka reads. */
export const kafkaShape = {
  KAFKA_BROKERS: field.list("Bootstrap brokers, host:port, comma separated."),
  KAFKA_USERNAME: field.text("SCRAM-SHA-256 user; empty connects without SASL.", ""),
  KAFKA_PASSWORD: field.secret("SCRAM-SHA-256 password.", ""),
  KAFKA_TLS: field.flag("Whether the brokers are reached over TLS.", "false"),
  KAFKA_CA_FILE: field.text(
    "PEM file of the authorities that signed the brokers' certificates; empty uses the system's.",
    "",
  ),
  KAFKA_TOPIC_PREFIX: field.text("Put in front of every topic and group name, for a cluster that is shared.", ""),
  KAFKA_COMPRESSION: field.choice(
    "Compression of produced batches: none on loopback, lz4 over a network.",
    ["none", "lz4"],
    "none",
  ),
  REGISTRY_URL: field.url("Schema registry with the Confluent API."),
  REGISTRY_USERNAME: field.text("Schema registry user; empty sends none.", ""),
  REGISTRY_PASSWORD: field.secret("Schema registry password.", ""),
} satisfies Shape;
