import { clientAddress, isAllowed, parseRange } from "@astralog/chassis";
import { hashKey, type KeyRecord, makeKey, type SourceRecord } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import { admit } from "./admit.ts";
import { hasKeyInUrl, readCredentials } from "./credentials.ts";

const key = makeKey("ingest");
const none = new URLSearchParams();
const base64 = (text: string) => Buffer.from(text).toString("base64");

test.each([
  [{ authorization: `Bearer ${key}` }],
  [{ authorization: `bearer  ${key}` }],
  [{ authorization: `ApiKey ${key}` }],
  [{ authorization: `ApiKey ${base64(`some-id:${key}`)}` }],
  [{ authorization: `Splunk ${key}` }],
  [{ authorization: `Basic ${base64(`${key}:`)}` }],
  [{ authorization: `Basic ${base64(`${key}:x`)}` }],
  [{ authorization: `Basic ${base64(`user:${key}`)}` }],
  [{ authorization: `Basic ${base64(key)}` }],
  [{ "dd-api-key": key }],
  [{ "x-seq-apikey": key }],
  [{ "x-amz-firehose-access-key": key }],
])("finds the key in form %#", (headers) => expect(readCredentials(headers, none)).toBe(key));

test.each([[{}], [{ authorization: key }], [{ authorization: "Bearer" }], [{ authorization: `Digest ${key}` }]])(
  "finds no key in form %#",
  (headers) => expect(readCredentials(headers, none)).toBeUndefined(),
);

test("a key in the URL is only taken where a protocol has no other way", () => {
  const query = new URLSearchParams({ "dd-api-key": key });
  expect(readCredentials({}, query)).toBeUndefined();
  expect(readCredentials({}, query, "dd-api-key")).toBe(key);
  expect(hasKeyInUrl(`/v1/events?key=${key}`)).toBe(true);
  expect(hasKeyInUrl(`/v1/input?dd-api-key=${key}`, "dd-api-key")).toBe(false);
  expect(hasKeyInUrl(`/v1/input?dd-api-key=${key}&x=${key}`, "dd-api-key")).toBe(true);
});

const now = 1_800_000_000_000;
const record: KeyRecord = {
  hash: hashKey(key),
  id: "key_1",
  kind: "ingest",
  tenant: "tn_1",
  source: "src_1",
  expires_at: 0n,
  revoked_at: 0n,
  ip_allowlist: [],
  permissions: [],
  sources: [],
};
const source: SourceRecord = {
  tenant: "tn_1",
  source: "src_1",
  name: "app",
  disabled: false,
  retention_days: 30,
  partitions: 4,
  max_bytes_per_second: 0n,
  native_partitions: [],
};
const verdict = (
  change: Partial<KeyRecord>,
  { text = key, address = "203.0.113.9", known = source as SourceRecord | "gone" } = {},
): string => {
  const held = { ...record, ...change };
  const head = { path: "/", query: none, headers: { authorization: `Bearer ${text}` }, contentType: "", requestId: "" };
  try {
    const knowledge = {
      key: (h: string) => (h === record.hash ? held : undefined),
      source: () => (known === "gone" ? undefined : known),
    };
    return admit(head, "/v1/events", address, knowledge, now).tenant;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test("says who may write, and of everybody else why not", () => {
  expect(verdict({})).toBe("tn_1");
  expect(verdict({ expires_at: BigInt(now + 1) })).toBe("tn_1");
  expect(verdict({ revoked_at: BigInt(now + 60_000) })).toBe("tn_1");
  expect(verdict({ ip_allowlist: ["203.0.113.0/24", "::1"] })).toBe("tn_1");
  expect(verdict({ expires_at: BigInt(now) })).toBe("key_expired");
  expect(verdict({ revoked_at: BigInt(now) })).toBe("key_revoked");
  expect(verdict({ kind: "query" })).toBe("key_wrong_kind");
  expect(verdict({ hash: "0".repeat(64) })).toBe("key_unknown");
  expect(verdict({ ip_allowlist: ["198.51.100.0/24", "nonsense"] })).toBe("address_not_allowed");
  expect(verdict({}, { text: makeKey("ingest") })).toBe("key_unknown");
  expect(verdict({}, { text: `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}` })).toBe("key_malformed");
  expect(verdict({}, { known: { ...source, disabled: true } })).toBe("source_disabled");
  expect(verdict({}, { known: "gone" })).toBe("source_unknown");
});

test("believes X-Forwarded-For as far as trusted proxies wrote it", () => {
  const ranges = ["10.0.0.0/8", "fd00::/8"].map(parseRange).filter((range) => range !== undefined);
  expect(clientAddress("198.51.100.1", "1.2.3.4", ranges)).toBe("198.51.100.1");
  expect(clientAddress("10.0.0.1", undefined, ranges)).toBe("10.0.0.1");
  expect(clientAddress("::ffff:10.0.0.1", "6.6.6.6, 1.2.3.4", ranges)).toBe("1.2.3.4");
  expect(clientAddress("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", ranges)).toBe("1.2.3.4");
  expect(clientAddress("10.0.0.1", "1.2.3.4, nonsense", ranges)).toBe("10.0.0.1");
  expect(clientAddress("10.0.0.1", "1.2.3.4", [])).toBe("10.0.0.1");
  expect(isAllowed("::ffff:192.0.2.7", ["192.0.2.0/28"])).toBe(true);
  expect(isAllowed("192.0.2.77", ["192.0.2.0/28"])).toBe(false);
  expect(isAllowed("10.0.0.1", ["10.1"])).toBe(false);
  expect(isAllowed("2130706433", ["127.0.0.1"])).toBe(false);
});
