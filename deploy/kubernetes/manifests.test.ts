import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { parse, parseAllDocuments } from "yaml";
import { complaints, knownEnv } from "../docker/known-env.ts";
import { root } from "../local/paths.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}
const files = readdirSync(here).filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml");
const manifests = files.flatMap((file) =>
  parseAllDocuments(readFileSync(join(here, file), "utf8")).map((document) => document.toJS() as Manifest),
);
const ofKind = (kind: string): Manifest[] => manifests.filter((one) => one.kind === kind);

test("every manifest is what Kubernetes' own types say, with no field they do not know", () => {
  const base = join(root, ".astralog", "testbed");
  mkdirSync(base, { recursive: true });
  const dir = mkdtempSync(join(base, "kubernetes-"));
  try {
    const lines = manifests.map((one, n) => {
      const module = `kubernetes-models/${one.apiVersion}/${one.kind}`;
      return `import type { I${one.kind} as K${n} } from "${module}";\nexport const m${n}: K${n} = ${JSON.stringify(one)};`;
    });
    writeFileSync(join(dir, "manifests.ts"), lines.join("\n"));
    const check = (): string =>
      spawnSync(
        process.execPath,
        [
          join(root, "node_modules/typescript/bin/tsc"),
          ...[
            "--ignoreConfig",
            "--noEmit",
            "--strict",
            "--skipLibCheck",
            "--module",
            "nodenext",
            join(dir, "manifests.ts"),
          ],
        ],
        { encoding: "utf8" },
      ).stdout;
    expect(check()).toBe("");
    const [first = ""] = lines;
    writeFileSync(join(dir, "manifests.ts"), first.replace('"kind"', '"kindd"'));
    expect(check()).toContain("kindd");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly envFrom: readonly {
    readonly configMapRef?: { readonly name: string };
    readonly secretRef?: { readonly name: string };
  }[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly readinessProbe?: unknown;
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly securityContext: { readonly runAsNonRoot: boolean };
  readonly terminationGracePeriodSeconds?: number;
}
type Template = { spec: { template: { spec: PodSpec } } };
const pods = [
  ...[...ofKind("Deployment"), ...ofKind("Job")].map((one) => [one.metadata.name, one as unknown as Template] as const),
  ...ofKind("CronJob").map(
    (one) => [one.metadata.name, (one as unknown as { spec: { jobTemplate: Template } }).spec.jobTemplate] as const,
  ),
].map(([name, { spec }]) => [name, spec.template.spec] as const);

const dataOf = (kind: string, field: string, name: string): Record<string, string> => {
  const found = ofKind(kind).find((one) => one.metadata.name === name);
  if (found === undefined) throw new Error(`${kind} ${name} is referred to and not there`);
  return found[field] as Record<string, string>;
};

test.each(pods)("%s gets only variables it knows, and all it needs", (_, { containers: [container] }) => {
  if (container === undefined) throw new Error("no container");
  const what = container.args[0] ?? "";
  const secrets: Record<string, string> = {};
  const plain: Record<string, string> = {};
  for (const { configMapRef, secretRef } of container.envFrom) {
    if (configMapRef !== undefined) Object.assign(plain, dataOf("ConfigMap", "data", configMapRef.name));
    if (secretRef !== undefined) Object.assign(secrets, dataOf("Secret", "stringData", secretRef.name));
  }
  const own = Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? "from the pod"]));
  const known = knownEnv(what);
  // The ConfigMap is everybody's, so a service may find a variable of another's in it.
  expect([...Object.keys(secrets), ...Object.keys(own)].filter((name) => !known.has(name))).toEqual([]);
  const given = { ...plain, ...own };
  for (const name of Object.keys(secrets)) given[name] = randomBytes(32).toString("base64");
  expect(complaints(what, given)).toBe("");
});

test("native topics have as many copies as all others", () => {
  const copies = pods.flatMap(([, { containers }]) =>
    containers.flatMap(({ env }) => env.filter(({ name }) => name === "KAFKA_REPLICATION").map(({ value }) => value)),
  );
  expect(copies).toEqual(["3", "3"]);
});

test("every variable of the ConfigMap is known to some service", () => {
  const known = new Set(
    ["receiver", "redactor", "sink", "archive", "alerter", "retention", "backup", "api"].flatMap((name) => [
      ...knownEnv(name),
    ]),
  );
  expect(Object.keys(dataOf("ConfigMap", "data", "astralog")).filter((name) => !known.has(name))).toEqual([]);
});

test.each(pods)(
  "%s runs without root, without capabilities, on a read-only file system, with a memory limit",
  (_, pod) => {
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    for (const { securityContext, resources } of pod.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(resources.limits.memory).toMatch(/^\d+(Mi|Gi)$/);
    }
  },
);

test("each service is probed, may drain longer than its own deadline, and keeps all pods but one through a disruption", () => {
  const deadlineSeconds = 25;
  for (const one of ofKind("Deployment")) {
    const [, pod] = pods.find(([name]) => name === one.metadata.name) ?? [];
    expect(pod?.containers[0]?.readinessProbe).toBeDefined();
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(deadlineSeconds);
    expect(ofKind("PodDisruptionBudget").map(({ metadata }) => metadata.name)).toContain(one.metadata.name);
  }
});

test("kustomization.yaml applies every file but the example secrets, and all is in one namespace", () => {
  const { resources } = parse(readFileSync(join(here, "kustomization.yaml"), "utf8")) as { resources: string[] };
  expect(resources.toSorted()).toEqual(files.filter((name) => name !== "secrets.example.yaml").toSorted());
  for (const { kind, metadata } of manifests) if (kind !== "Namespace") expect(metadata.namespace).toBe("astralog");
});
