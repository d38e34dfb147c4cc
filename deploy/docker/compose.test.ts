import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { images } from "../../services/testbed/images.ts";
import { complaints, knownEnv } from "./known-env.ts";

const root = new URL("../../", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), "utf8");
const text = read("docker-compose.kafka.yml");

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly restart: string;
}
const compose = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const ours = Object.entries(compose.services).filter(([, service]) => service.image === "astralog:local");

/** `${NAME:?why}` and `${NAME:-default}` as compose fills them in. */
const filled = (value: string): string =>
  value.replace(/\$\{([A-Z_]+)(?::-([^}]*)|:\?[^}]*)?\}/g, (_, name: string, fallback?: string) =>
    /^(DEAD_LETTER|AUDIT_SIGNING|SECRETS|ALERTS|STORAGE|BACKUP)_KEY$/.test(name)
      ? randomBytes(32).toString("base64")
      : (fallback ?? randomBytes(12).toString("hex")),
  );

test("it is a Compose file by the specification's own schema", () => {
  const schema = JSON.parse(read("node_modules/dclint/schemas/compose.schema.json")) as Record<string, unknown>;
  delete schema.$schema;
  const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  validate(compose);
  expect(validate.errors ?? []).toEqual([]);
  // The schema is one that would notice.
  expect(validate({ services: { kafka: { imagee: "x" } } })).toBe(false);
});

test.each(ours)("%s gets only variables it knows, and all it needs", (_, { command = [], environment = {} }) => {
  const what = command[0] ?? "";
  const known = knownEnv(what);
  expect(known.size).toBeGreaterThan(0);
  expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
  const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value)]));
  expect(complaints(what, env)).toBe("");
});

test("no password has a default, and make-env.mjs makes every one", () => {
  const secrets = [...text.matchAll(/\$\{([A-Z_]*(?:PASSWORD|KEY))([^}]*)\}/g)];
  expect(secrets.length).toBeGreaterThan(10);
  const made = read("deploy/docker/make-env.mjs");
  for (const [whole, name = "", rest = ""] of secrets) {
    expect(`${whole} ${rest.startsWith(":?")}`).toBe(`${whole} true`);
    expect(made).toContain(name);
  }
});

test("native producers are told the address that Kafka has for the outside", () => {
  const told = compose.services.api?.environment?.KAFKA_PRODUCERS_BROKERS;
  expect(told).toBe(`${compose.services.prepare?.environment?.ASTRALOG_HOST}:9094`);
  expect(compose.services.kafka?.ports).toContain("9094:9094");
});

test("every server has a health check, and what waits for health waits for one that has it", () => {
  const services = ["receiver", "redactor", "sink", "archive", "alerter", "retention", "backup", "api"];
  for (const name of ["kafka", "registry", "clickhouse", "postgres", ...services])
    expect(compose.services[name]?.healthcheck?.test?.length).toBeGreaterThan(0);
  for (const { depends_on = {} } of Object.values(compose.services))
    for (const [name, { condition }] of Object.entries(depends_on)) {
      expect(compose.services).toHaveProperty(name);
      if (condition === "service_healthy") expect(compose.services[name]?.healthcheck?.test).toBeDefined();
      if (condition === "service_completed_successfully") expect(compose.services[name]?.restart).toBe("no");
    }
});

test("named volumes are declared and files that are mounted exist", () => {
  for (const { volumes = [] } of Object.values(compose.services))
    for (const volume of volumes) {
      const [from = ""] = volume.split(":");
      if (from.startsWith("./")) expect([from, existsSync(new URL(from, root))]).toEqual([from, true]);
      else expect(Object.keys(compose.volumes)).toContain(from);
    }
});

test("it runs the servers that the tests run", () => {
  for (const [name, image] of Object.entries(images)) expect(compose.services[name]?.image).toBe(image);
});

test("the Dockerfile copies only what exists, and its image is not root's", () => {
  const dockerfile = read("deploy/docker/Dockerfile");
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = ""]) => files.split(" "));
  expect(copied.length).toBeGreaterThan(10);
  for (const file of copied) expect([file, existsSync(new URL(file, root))]).toEqual([file, true]);
  expect(dockerfile).toMatch(/^USER node$/m);
  const entry = read("deploy/docker/entrypoint.sh");
  for (const [, { command = [] }] of ours) expect(entry).toMatch(new RegExp(`\\b${command[0]}\\b`));
});
