import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type AuditEvent, auditActions, canonicalJson, chainStart, type Json } from "./audit.ts";
import { auditHash, type ChainBreak, type ChainPoint, createChainCheck } from "./audit-chain.ts";
import { csvHeader, csvLine, jsonLine, parseCsvLine, parseJsonLine } from "./audit-export.ts";
import { type AuditHead, createAuditSigner, isSignedHead } from "./audit-head.ts";

const chainOf = (tenant: string, length: number): AuditEvent[] => {
  const events: AuditEvent[] = [];
  for (let seq = 1; seq <= length; seq++) {
    const event = {
      v: 1 as const,
      tenant,
      seq,
      at: new Date(1_770_000_000_000 + seq * 997).toISOString(),
      actor: { kind: "key" as const, id: `key_${seq % 7}`, name: "the console" },
      action: auditActions[seq % auditActions.length] ?? "verify.run",
      target: { kind: "key", id: `key_${seq}` },
      where: { ip: `10.0.0.${seq % 256}`, user_agent: "curl/8", request_id: `r-${seq}` },
      result: "ok" as const,
      details: { overlap_seconds: seq, name: `n${seq}`, list: [seq] },
      prev: events.at(-1)?.hash ?? chainStart,
    };
    events.push({ ...event, hash: auditHash(event) });
  }
  return events;
};

const check = (tenant: string, events: readonly AuditEvent[], end?: ChainPoint): ChainBreak | undefined => {
  const one = createChainCheck(tenant);
  for (const event of events) {
    const broken = one.take(event);
    if (broken !== undefined) return broken;
  }
  return one.finish(end);
};

const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new Error(`nothing at ${index}`);
  return found;
};

const length = 10_000;
const chain = chainOf("tn_a", length);
const other = chainOf("tn_b", length);
const head = at(chain, length - 1);

/** Every leaf of an event with another value in it, the hash made to fit or not. */
const edits: ((event: AuditEvent) => AuditEvent)[] = [
  (event) => ({ ...event, v: 2 as 1 }),
  (event) => ({ ...event, tenant: "tn_c" }),
  (event) => ({ ...event, seq: event.seq + 1 }),
  (event) => ({ ...event, at: new Date(Date.parse(event.at) + 1).toISOString() }),
  (event) => ({ ...event, actor: { ...event.actor, kind: "operator" } }),
  (event) => ({ ...event, actor: { ...event.actor, id: `${event.actor.id} ` } }),
  (event) => ({ ...event, actor: { ...event.actor, name: "" } }),
  (event) => ({ ...event, action: event.action === "verify.run" ? "key.created" : "verify.run" }),
  (event) => ({ ...event, target: { ...event.target, kind: "source" } }),
  (event) => ({ ...event, target: { ...event.target, id: "key_x" } }),
  (event) => ({ ...event, where: { ...event.where, ip: "10.0.1.1" } }),
  (event) => ({ ...event, where: { ...event.where, user_agent: "curl/9" } }),
  (event) => ({ ...event, where: { ...event.where, request_id: "" } }),
  (event) => ({ ...event, result: "denied" }),
  (event) => ({ ...event, details: {} }),
  (event) => ({ ...event, details: { ...event.details, list: [] } }),
  (event) => ({ ...event, more: 1 }) as AuditEvent,
  (event) => ({ ...event, prev: event.prev.startsWith("0") ? `1${event.prev.slice(1)}` : `0${event.prev.slice(1)}` }),
  (event) => ({ ...event, hash: event.hash.startsWith("0") ? `1${event.hash.slice(1)}` : `0${event.hash.slice(1)}` }),
];
const edit = fc
  .record({ i: fc.nat(length - 1), how: fc.constantFrom(...edits), fitting: fc.boolean() })
  .map(({ i, how, fitting }) => {
    const changed = how(at(chain, i));
    return { name: "edit", i, events: chain.with(i, fitting ? { ...changed, hash: auditHash(changed) } : changed) };
  })
  // A new hash in place of a wrong one is no change.
  .filter(
    ({ i, events }) =>
      canonicalJson(at(events, i) as unknown as Json) !== canonicalJson(at(chain, i) as unknown as Json),
  );
const pair = fc
  .uniqueArray(fc.nat(length - 1), { minLength: 2, maxLength: 2 })
  .map((two) => [at(two, 0), at(two, 1)] as const);
const tampering = fc.oneof(
  edit,
  fc.record({ i: fc.nat(length - 1), n: fc.integer({ min: 1, max: 50 }) }).map(({ i, n }) => ({
    name: "delete",
    events: chain.toSpliced(i, n),
  })),
  pair.map(([i, j]) => ({ name: "reorder", events: chain.with(i, at(chain, j)).with(j, at(chain, i)) })),
  pair.map(([i, j]) => ({ name: "duplicate", events: chain.toSpliced(i, 0, at(chain, j)) })),
  fc.nat(length - 1).map((n) => ({ name: "truncate", events: chain.slice(0, n) })),
  fc.nat(length - 1).map((i) => ({ name: "one of another", events: chain.with(i, at(other, i)) })),
  fc.nat(length - 1).map((i) => ({ name: "splice", events: [...chain.slice(0, i), ...other.slice(i)] })),
  // With tenant and hashes made to fit, as one would who knows the code: the head alone tells.
  fc.nat(length - 1).map((i) => {
    const events = chain.slice(0, i);
    for (const event of other.slice(i)) {
      const own = { ...event, tenant: "tn_a", details: { written: "anew" }, prev: events.at(-1)?.hash ?? chainStart };
      events.push({ ...own, hash: auditHash(own) });
    }
    return { name: "rewrite", events };
  }),
);

test("of 100 random tamperings of 10,000 events 100 are found; the untampered chain is whole", () => {
  expect(check("tn_a", chain, head)).toBeUndefined();
  let found = 0;
  const kinds = new Set<string>();
  fc.assert(
    fc.property(tampering, ({ name, events }) => {
      kinds.add(name);
      expect(check("tn_a", events, head)).toBeDefined();
      found++;
    }),
    { numRuns: 100, endOnFailure: true },
  );
  expect(found).toBe(100);
  expect([...kinds].sort()).toEqual(
    ["delete", "duplicate", "edit", "one of another", "reorder", "rewrite", "splice", "truncate"].sort(),
  );
}, 300_000);

test("each change of each member is found where it stands", () => {
  const short = chain.slice(0, 20);
  for (const how of edits) {
    const broken = check("tn_a", short.with(9, how(at(short, 9))), at(short, 19));
    expect([how.toString(), broken?.seq]).toEqual([how.toString(), 10]);
  }
});

test("the break is named: what is wrong, and where first", () => {
  const short = chain.slice(0, 20);
  const end = at(short, 19);
  const said = (events: AuditEvent[]) => check("tn_a", events, end);
  expect(said(short.toSpliced(4, 2))).toEqual({
    seq: 5,
    problem: expect.stringMatching(/^seq 5 to 6 are missing; seq 7/),
  });
  expect(said(short.toSpliced(4, 0, at(short, 2)))).toEqual({
    seq: 5,
    problem: expect.stringMatching(/^seq 3 .*once more/),
  });
  expect(said(short.slice(0, 15))).toEqual({ seq: 16, problem: expect.stringMatching(/^seq 16 to 20 .*truncated/) });
  expect(said([])).toEqual({ seq: 1, problem: expect.stringMatching(/truncated/) });
  expect(said(short.with(4, at(other, 4)))).toEqual({ seq: 5, problem: expect.stringMatching(/"tn_b"/) });
  expect(said(short.with(4, { ...at(short, 4), result: "failed" }))).toEqual({
    seq: 5,
    problem: expect.stringMatching(/changed/),
  });
  expect(said([...short, at(chain, 20)])).toEqual({ seq: 21, problem: expect.stringMatching(/inserted/) });
});

test("a head kept elsewhere must lie in the chain", () => {
  const short = chain.slice(0, 20);
  const run = (points: ChainPoint[], hashes: string[]) => {
    const one = createChainCheck("tn_a", points, hashes);
    for (const event of short) {
      const broken = one.take(event);
      if (broken !== undefined) return broken.seq;
    }
    return one.finish()?.seq;
  };
  expect(run([at(short, 9)], [at(short, 3).hash])).toBeUndefined();
  expect(run([{ ...at(short, 9), hash: chainStart }], [])).toBe(10);
  expect(run([at(chain, 30)], [])).toBe(21);
  expect(run([at(other, 9)], [])).toBe(10);
  expect(run([], [at(chain, 30).hash])).toBe(21);
});

test("canonical JSON is RFC 8785's", () => {
  // Its example of sorting (section 3.2.3) and of numbers (3.2.2).
  expect(
    canonicalJson({
      "€": "Euro Sign",
      "\r": "Carriage Return",
      \ufb33: "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "😀": "Emoji: Grinning Face",
      "\u0080": "Control",
      ö: "Latin Small Letter O With Diaeresis",
    }),
  ).toBe(
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  );
  expect(canonicalJson({ numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27], literals: [null, true, false] })).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
  );
  expect(() => canonicalJson(Number.NaN)).toThrow(RangeError);
});

test("a hash is what the document says, made by hand", () => {
  const first = at(chain, 0);
  const text = `{"action":"source.created","actor":{"id":"key_1","kind":"key","name":"the console"},"at":"${first.at}","details":{"list":[1],"name":"n1","overlap_seconds":1},"prev":"${"0".repeat(64)}","result":"ok","seq":1,"target":{"id":"key_1","kind":"key"},"tenant":"tn_a","v":1,"where":{"ip":"10.0.0.1","request_id":"r-1","user_agent":"curl/8"}}`;
  expect(first.hash).toBe(createHash("sha256").update(text).digest("hex"));
});

test("a head is signed by one key over all it says", () => {
  const signer = createAuditSigner(Buffer.alloc(32, 1));
  const signed = signer.sign(head);
  expect(isSignedHead(signed, signer.publicKey)).toBe(true);
  for (const changed of [
    { tenant: "tn_b" },
    { seq: 9_999 },
    { hash: at(chain, 0).hash },
    { at: at(chain, 0).at },
    { key_id: "0123456789abcdef" },
    { signature: "" },
  ] satisfies Partial<AuditHead>[]) {
    expect([changed, isSignedHead({ ...signed, ...changed }, signer.publicKey)]).toEqual([changed, false]);
  }
  const stranger = createAuditSigner(Buffer.alloc(32, 2));
  expect(isSignedHead(signed, stranger.publicKey)).toBe(false);
  expect(isSignedHead(signed, "not a key")).toBe(false);
  // RFC 8032, section 7.1, test 1.
  const known = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
  expect(Buffer.from(createAuditSigner(known).publicKey, "base64").toString("hex")).toBe(
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
});

test("any text goes through CSV and JSON lines and comes back; no cell begins as a formula", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("=1+1", "+x", "-2", "@SUM", "'", "''=1", 'a"b,c', "\t=x", '=HYPERLINK("http://x","y")'),
  );
  const noLines = text.map((one) => one.replace(/[\r\n]/g, "?"));
  fc.assert(
    fc.property(
      noLines,
      noLines,
      fc.dictionary(text, fc.oneof(text, fc.integer(), fc.constant(null))),
      (a, b, details) => {
        const { hash: _, ...base } = at(chain, 0);
        const event = { ...base, actor: { kind: "key" as const, id: b, name: a }, target: { kind: a, id: b }, details };
        const hashed: AuditEvent = { ...event, hash: auditHash(event) };
        const line = csvLine(hashed).trimEnd();
        expect(parseCsvLine(line)).toEqual(hashed);
        expect(parseJsonLine(jsonLine(hashed).trimEnd())).toEqual({ event: hashed });
        for (const cell of line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)) expect(cell).not.toMatch(/^"?[=+\-@\t\r]/);
      },
    ),
  );
  expect(parseCsvLine(csvHeader.trimEnd())).toBeUndefined();
});

test("a line that says something twice, or is written otherwise, is no line of an export", () => {
  const line = jsonLine(at(chain, 0)).trimEnd();
  expect(parseJsonLine(line)).toEqual({ event: at(chain, 0) });
  for (const wrong of [
    line.replace('"seq":1', '"seq":2,"seq":1'),
    line.replace('"seq":1', '"seq": 1'),
    line.replace("the console", "\\u0074he console"),
    line.slice(0, -1),
    "",
    "null",
    "[]",
    '{"format":"other"}',
    '{"head":{}}',
  ]) {
    expect([wrong, parseJsonLine(wrong)]).toEqual([wrong, undefined]);
  }
});
