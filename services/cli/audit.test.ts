/** astralog audit verify on files, honest and not; no server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type AuditEvent, chainStart } from "@astralog/schemas/audit";
import { auditHash } from "@astralog/schemas/audit-chain";
import { csvHeader, csvLine, exportFormat, jsonLine } from "@astralog/schemas/audit-export";
import { createAuditSigner } from "@astralog/schemas/audit-head";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import pc from "picocolors";
import { createCli } from "./cli.ts";
import { readConfig } from "./config.ts";
import { createProgram } from "./program.ts";

const signer = createAuditSigner(Buffer.alloc(32, 3));
const stranger = createAuditSigner(Buffer.alloc(32, 4));

const chainOf = (tenant: string, length: number): AuditEvent[] => {
  const events: AuditEvent[] = [];
  for (let seq = 1; seq <= length; seq++) {
    const event = {
      v: 1 as const,
      tenant,
      seq,
      at: new Date(1_770_000_000_000 + seq).toISOString(),
      actor: { kind: "key" as const, id: "key_1", name: "=1+1" },
      action: "key.created" as const,
      target: { kind: "key", id: `key_${seq}` },
      where: { ip: "10.0.0.1", user_agent: 'an "agent", of 2', request_id: `r-${seq}` },
      result: "ok" as const,
      details: { name: `n${seq}` },
      prev: events.at(-1)?.hash ?? chainStart,
    };
    events.push({ ...event, hash: auditHash(event) });
  }
  return events;
};

const headOf = (events: readonly AuditEvent[], by = signer) => {
  const last = events.at(-1);
  if (last === undefined) throw new Error("an empty chain has no head");
  return by.sign(last);
};

const header = (by = signer) =>
  jsonLine({ format: exportFormat, tenant: "tn_a", key_id: by.keyId, public_key: by.publicKey });

const exportOf = (events: readonly AuditEvent[], head = headOf(events)): string =>
  header() + events.map(jsonLine).join("") + jsonLine({ head });
const csvOf = (events: readonly AuditEvent[]): string => csvHeader + events.map(csvLine).join("");

let folder = "";
const file = (text: string, name = "file"): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "astralog-audit-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const verify = async (text: string, ...options: string[]) => {
  let out = "";
  const colors = pc.createColors(false);
  const cli = createCli(
    readConfig({}),
    {
      input: Readable.from([]),
      out: (said) => void (out += said),
      outBytes: () => undefined,
      err: () => undefined,
      outColors: colors,
      errColors: colors,
      progressColumns: 0,
      interactive: false,
    },
    folder,
    new AbortController().signal,
  );
  const failure = await createProgram(cli)
    .parseAsync(["audit", "verify", file(text), ...options], { from: "user" })
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  return { out, code: cli.exitCode(), failure };
};

const chain = chainOf("tn_a", 300);
const whole = exportOf(chain);
const last = chain.at(-1);

test("an export that nobody touched: count, first, last and head, and who signed", async () => {
  expect(await verify(whole)).toEqual({
    out: `unbroken: 300 events of tn_a, ${chain[0]?.at} to ${last?.at}
head ${last?.hash}
signed by key ${signer.keyId}, which the export itself names: --public-key makes sure whose it is
`,
    code: 0,
    failure: undefined,
  });
  const pinned = await verify(whole, "--public-key", signer.publicKey, "--json");
  expect(JSON.parse(pinned.out)).toMatchObject({
    ok: true,
    events: 300,
    head: last?.hash,
    proven_to: 300,
    key_given: true,
  });
});

test("of any line changed, lost, doubled, moved or added, none goes unseen", async () => {
  const lines = whole.trimEnd().split("\n");
  const n = lines.length;
  const index = fc.nat(n - 1);
  const tampering = fc.oneof(
    // One character of one line. The signature's last character before = carries bits that base64 ignores.
    fc.record({ i: index, at: fc.double({ min: 0, max: 0.9, noNaN: true }) }).map(({ i, at }) => {
      const line = lines[i] ?? "";
      const c = Math.floor(at * line.length);
      return lines.with(i, `${line.slice(0, c)}${line[c] === "7" ? "8" : "7"}${line.slice(c + 1)}`);
    }),
    index.map((i) => lines.toSpliced(i, 1)),
    index.map((i) => lines.toSpliced(i, 0, lines[i] ?? "")),
    fc
      .uniqueArray(index, { minLength: 2, maxLength: 2 })
      .map(([i = 0, j = 0]) => lines.with(i, lines[j] ?? "").with(j, lines[i] ?? "")),
    index.map((i) => lines.slice(0, i)),
    index.map((i) => lines.toSpliced(i, 0, "")),
  );
  await fc.assert(
    fc.asyncProperty(tampering, async (changed) => {
      const { out, code, failure } = await verify(changed.join("\n"));
      // Without its first line it may be no export at all.
      if (failure === undefined) {
        expect(out).toMatch(/^broken at seq \d+: .+\n$/);
        expect(code).toBe(1);
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);

test("a cut with a head of one's own, or an old one, is found by the key and by a head that was kept", async () => {
  const cut = chain.slice(0, 200);
  const forged = header(stranger) + cut.map(jsonLine).join("") + jsonLine({ head: headOf(cut, stranger) });
  expect((await verify(forged)).code).toBe(0);
  expect(await verify(forged, "--public-key", signer.publicKey)).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^broken at seq 200: its head is not signed by the key .*forged/),
  });
  // The newer head on an export that ends before it.
  expect(await verify(exportOf(cut, headOf(chain)))).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^broken at seq 201: seq 201 to 300 are missing at the end \(truncated\)/),
  });
  // An older export is whole by itself; a head that was kept shows what is gone.
  const kept = file(JSON.stringify({ head: headOf(chain), public_key: signer.publicKey }), "kept");
  expect((await verify(exportOf(cut))).code).toBe(0);
  expect((await verify(exportOf(cut), "--head", kept)).out).toMatch(/^broken at seq 201: .*truncated/);
  expect((await verify(exportOf(cut), "--head", last?.hash ?? "")).out).toMatch(
    /^broken at seq 201: no event has the hash/,
  );
  expect((await verify(whole, "--head", file(exportOf(cut), "older"))).code).toBe(0);
  expect((await verify(whole, "--head", chain[7]?.hash ?? "")).code).toBe(0);
});

test("a folder of heads, as a bucket has them: each must lie in the trail, and of two that differ one does not", async () => {
  const heads = join(folder, "heads");
  mkdirSync(join(heads, "deeper"), { recursive: true });
  const keep = (name: string, head: unknown) => writeFileSync(join(heads, name), `${JSON.stringify({ head })}\n`);
  expect((await verify(whole, "--head", heads)).failure).toMatch(/has no \.json files/);
  for (const length of [3, 200, 300]) keep(`${length}.json`, headOf(chain.slice(0, length)));
  expect((await verify(whole, "--head", heads, "--head", chain[7]?.hash ?? "")).code).toBe(0);
  expect((await verify(exportOf(chain.slice(0, 200)), "--head", heads)).out).toMatch(/^broken at seq 201: .*truncated/);
  // Written anew from the 151st event on by whoever has the key: the export alone is whole.
  const anew = chain.slice(0, 150);
  for (const event of chain.slice(150)) {
    const own = { ...event, actor: { ...event.actor, name: "nobody" }, prev: anew.at(-1)?.hash ?? chainStart };
    anew.push({ ...own, hash: auditHash(own) });
  }
  expect((await verify(exportOf(anew), "--public-key", signer.publicKey)).code).toBe(0);
  expect((await verify(exportOf(anew), "--head", heads)).out).toMatch(/^broken at seq 200: .*rewritten/);
  keep("deeper/200.json", headOf(anew.slice(0, 200)));
  expect((await verify(whole, "--head", heads)).out).toMatch(/^broken at seq 200: .*rewritten/);
  writeFileSync(join(heads, "other.json"), "{}");
  expect((await verify(whole, "--head", heads)).failure).toMatch(/other\.json holds no signed head/);
});

test("a CSV is checked too, against a head that was kept", async () => {
  const kept = file(JSON.stringify({ head: headOf(chain) }), "kept");
  expect((await verify(csvOf(chain))).failure).toMatch(/A CSV carries no signed head/);
  expect(await verify(csvOf(chain), "--head", kept, "--public-key", signer.publicKey)).toMatchObject({ code: 0 });
  expect((await verify(csvOf(chain.slice(0, 299)), "--head", kept)).out).toMatch(/^broken at seq 300: .*truncated/);
  expect((await verify(csvOf(chain).replace("n123", "n321"), "--head", kept)).out).toMatch(
    /^broken at seq 123: .*changed/,
  );
  const earlier = file(JSON.stringify({ head: headOf(chain.slice(0, 250)) }), "earlier");
  expect((await verify(csvOf(chain), "--head", earlier)).out).toContain(
    "the 50 events after seq 250 lie behind the head",
  );
});

test("what cannot be judged is said, with exit code 2 or a word of what to do", async () => {
  expect((await verify("")).failure).toMatch(/is no export of an audit trail/);
  expect((await verify("hello\n")).failure).toMatch(/is no export of an audit trail/);
  expect((await verify(whole, "--public-key", "AAAA")).failure).toMatch(/is no Ed25519 key/);
  expect((await verify(whole, "--head", "nowhere")).failure).toMatch(/neither a readable file or folder nor a hash/);
  expect((await verify(whole, "--head", file("{}", "empty"))).failure).toMatch(/holds no signed head/);
});
