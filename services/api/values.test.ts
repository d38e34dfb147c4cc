import { createCipheriv, randomBytes } from "node:crypto";
import { Fault, isAllowed } from "@astralog/chassis";
import {
  BatchEncoder,
  emptyHeader,
  eventSpans,
  placeText,
  readBatchHeader,
  readEvent,
  replayDedupId,
} from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { keyRecord, recordFromJson, recordToJson } from "./control/outbox.ts";
import { differences } from "./control/reconcile.ts";
import { formatDeadId, parseDeadId } from "./dead/dead-letters.ts";
import { openPayload, replayValue } from "./dead/replay.ts";
import { formatCursor, parseCursor } from "./search/cursor.ts";
import { attributesOf, rfc3339 } from "./search/event-rows.ts";
import { searchSlices } from "./search/search.ts";

test("a cursor comes back as it was, and nothing else is taken for one", () => {
  const cursor = {
    now: 1_770_000_000_000,
    timestamp: -5n,
    at: { topic: "native.x", partition: 3, offset: 12, index: 4 },
  };
  expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(() => parseCursor(text)).toThrow(Fault);
    }),
  );
});

test("times keep their nanoseconds, before 1970 too", () => {
  expect(rfc3339(1_700_000_000_123_456_789n)).toBe("2023-11-14T22:13:20.123456789Z");
  expect(rfc3339(-1n)).toBe("1969-12-31T23:59:59.999999999Z");
});

test("attributes come back as the client sent them", () => {
  const sent = attributesOf(
    "nb0jsn",
    ["big", "yes", "none", "list", "__proto__", "odd"],
    ["12345678901234567890", "true", "", "[1,2]", "x", "NaN"],
  );
  expect(JSON.stringify(sent)).toBe(
    '{"big":12345678901234567890,"yes":true,"none":null,"list":[1,2],"__proto__":"x","odd":"NaN"}',
  );
  expect(Object.getPrototypeOf(sent)).toBeNull();
});

test("a search asks for the tenant, and for what follows the cursor", () => {
  const [slice] = searchSlices(
    {
      q: `"x'; DROP TABLE events --"`,
      limit: 10,
      now: 0,
      cursor: { now: 0, timestamp: 7n, at: { topic: "events.raw", partition: 1, offset: 2, index: 3 } },
    },
    { tenant: "tn_a", sources: "all", topicPrefix: "p.", names: { sources: new Map() } },
  );
  const { query = "", params } = slice?.sql(11) ?? {};
  expect(query).toContain("tenant = {s0:String}");
  expect(query).not.toMatch(/DROP/i);
  expect(params).toMatchObject({ s0: "tn_a", s1: "8", s4: "7", s5: "p.events.raw" });
  expect(query).toMatch(/LIMIT 11$/);
});

test("addresses: v4, v6, mapped v4", () => {
  expect(isAllowed("::ffff:10.1.2.3", ["10.0.0.0/8"])).toBe(true);
  expect(isAllowed("11.1.2.3", ["10.0.0.0/8"])).toBe(false);
  expect(isAllowed("2001:db8::1", ["2001:db8::/32"])).toBe(true);
  expect(isAllowed("192.0.2.7", ["192.0.2.7"])).toBe(true);
  expect(isAllowed("", ["192.0.2.7"])).toBe(false);
});

test("a record goes through the outbox' JSON unchanged, and reconcile sees what differs", () => {
  const row = {
    id: "key_1",
    tenant: "t",
    source: null,
    kind: "query" as const,
    hash: "ab",
    prefix: "al_qry_",
    last4: "wxyz",
    name: "",
    created_at: new Date(),
    expires_at: new Date(5),
    revoked_at: null,
    rotated_from: null,
    ip_allowlist: [],
    permissions: [],
    sources: ["src_1"],
    last_used_at: null,
  };
  const record = keyRecord(row);
  expect(recordFromJson(JSON.parse(recordToJson(record)))).toEqual(record);
  const other = { ...record, hash: "cd" };
  const table = new Map([
    ["ab", { ...record, revoked_at: 1n }],
    ["ef", { ...record, hash: "ef" }],
  ]);
  expect(differences([record, other], table, (one) => one.hash)).toEqual({ changed: ["ab", "cd"], extra: ["ef"] });
});

const event = {
  millis: 5,
  nanos: 0,
  level: 9,
  service: "s",
  host: "",
  message: "m",
  trace_id: "",
  span_id: "",
  attribute_types: "",
  attributes: [],
};
const seal = (key: Buffer, payload: Buffer, boundTo: string): Buffer => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(boundTo));
  return Buffer.concat([nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
};

test("a sealed payload opens with its key at its place only", () => {
  const key = randomBytes(32);
  const place = { topic: "p.events.raw", partition: 1, offset: "7", index: -1 };
  const sealed = seal(key, Buffer.from("secret"), "p.events.raw/1/7/-1");
  expect(openPayload(key, place, sealed).toString()).toBe("secret");
  for (const [k, at, bytes] of [
    [randomBytes(32), place, sealed],
    [key, { ...place, offset: "8" }, sealed],
    [key, place, sealed.subarray(0, 20)],
    [key, place, Buffer.alloc(0)],
  ] as const) {
    expect(() => openPayload(k, at, bytes)).toThrow(expect.objectContaining({ code: "cannot_replay" }));
  }
});

test("a replayed event or record carries the letter's own dedup_id and the same events", () => {
  const encoder = new BatchEncoder();
  encoder.append(event);
  encoder.append({ ...event, message: "second" });
  const record = encoder.finish(9, { ...emptyHeader, tenant: "t", source: "s", accepted: 2, dedup_id: "old" });
  const letter = { topic: "events.raw", partition: 1, offset: "7", index: -1, tenant: "t", source: "s", diedAt: 3 };
  const whole = replayValue(record, letter, 4);
  const header = readBatchHeader(whole);
  expect(header).toMatchObject({
    tenant: "t",
    accepted: 2,
    protocol: "replay",
    dedup_id: replayDedupId(placeText(letter)),
  });
  expect(whole.readInt32BE(1)).toBe(9);
  expect(whole.subarray(header.eventsAt)).toEqual(record.subarray(readBatchHeader(record).eventsAt));

  const [start = 0, end = 0] = eventSpans(record, readBatchHeader(record).eventsAt).slice(2);
  const single = replayValue(record.subarray(start, end), { ...letter, index: 1 }, 4);
  const one = readBatchHeader(single);
  expect(one).toMatchObject({ accepted: 1, dedup_id: "replay/events.raw/1/7/1", received_at: 3 });
  expect(readEvent(single, eventSpans(single, one.eventsAt)[0] ?? 0).message).toBe("second");

  const poison = Buffer.from("not framed");
  expect(replayValue(poison, letter, 4)).toBe(poison);
});

test("dead letters' ids", () => {
  for (const at of [
    { topic: "events.raw", partition: 3, offset: 17, index: -1 },
    { topic: "native.a", partition: 3, offset: 17, index: 2 },
  ])
    expect(parseDeadId(formatDeadId(at))).toEqual(at);
  expect(parseDeadId("3-x")).toBeUndefined();
});
