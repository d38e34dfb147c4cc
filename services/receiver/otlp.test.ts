import { expect, test } from "@jest/globals";
import fc from "fast-check";
import protobuf from "protobufjs";
import { otlpLogs } from "./otlp.ts";
import { headOf, parseWith } from "./parsed.driver.ts";
import { bytesField } from "./protobuf.ts";
import { Refusal } from "./refusals.ts";

// The published message definitions, as an independent encoder knows them.
const root = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceLogs resource_logs = 1; }
  message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
  message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3; }
  message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
  message LogRecord { fixed64 time_unix_nano = 1; fixed64 observed_time_unix_nano = 11; int32 severity_number = 2; string severity_text = 3;
    AnyValue body = 5; repeated KeyValue attributes = 6; uint32 dropped_attributes_count = 7; fixed32 flags = 8; bytes trace_id = 9;
    bytes span_id = 10; string event_name = 12; }
  message Response { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected_log_records = 1; string error_message = 2; }
  message Status { int32 code = 1; string message = 2; }
`).root;
const Request = root.lookupType("Request");

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}
interface Json {
  resourceLogs: {
    resource?: { attributes: Attribute[] };
    scopeLogs: { scope?: Record<string, unknown>; logRecords: Record<string, unknown>[] }[];
  }[];
}
/** The same request in protobuf: ids from hex to bytes, the rest as it is. */
const toProtobuf = (json: Json): Buffer => {
  const object = structuredClone(json);
  for (const record of object.resourceLogs.flatMap((r) => r.scopeLogs).flatMap((s) => s.logRecords))
    for (const name of ["traceId", "spanId"])
      if (typeof record[name] === "string") record[name] = Buffer.from(record[name], "hex").toString("base64");
  return Buffer.from(Request.encode(Request.fromObject(object)).finish());
};
const binary = { contentType: "application/x-protobuf" };
const both = async (json: Json) => {
  const asJson = await parseWith(otlpLogs, JSON.stringify(json));
  const asProtobuf = await parseWith(otlpLogs, toProtobuf(json), binary);
  expect(asProtobuf.events).toEqual(asJson.events);
  expect(asProtobuf.rejected).toEqual(asJson.rejected);
  return asJson;
};
const logs = (...logRecords: Record<string, unknown>[]): Json => ({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
const at = "1714979289000000001";
const text = (stringValue: string) => ({ stringValue });

test("a record becomes an event, in both encodings the same", async () => {
  const { events, result } = await both({
    resourceLogs: [
      {
        resource: {
          attributes: [
            { key: "service.name", value: text("web") },
            { key: "host.name", value: text("h1") },
            { key: "region", value: text("eu") },
          ],
        },
        scopeLogs: [
          {
            scope: { name: "lib", version: "1.2", attributes: [{ key: "x", value: { intValue: "1" } }] },
            logRecords: [
              {
                timeUnixNano: at,
                severityNumber: 13,
                severityText: "Warning",
                body: text("héllo"),
                traceId: "0af7651916cd43dd8448eb211c80319c",
                spanId: "00f067aa0ba902b7",
                flags: 1,
                eventName: "login",
                attributes: [
                  { key: "region", value: text("us") },
                  { key: "big", value: { intValue: "9223372036854775807" } },
                  { key: "neg", value: { intValue: "-42" } },
                  { key: "half", value: { doubleValue: 0.5 } },
                  { key: "ok", value: { boolValue: true } },
                  { key: "list", value: { arrayValue: { values: [text('a"b'), { intValue: "2" }, {}] } } },
                  { key: "map", value: { kvlistValue: { values: [{ key: "k", value: text("v") }] } } },
                  { key: "raw", value: { bytesValue: "AQID" } },
                  { key: "nothing", value: {} },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  expect(events).toMatchObject([
    {
      timestamp: 1_714_979_289_000_000_001n,
      level: 13,
      service: "web",
      host: "h1",
      message: "héllo",
      trace_id: "0af7651916cd43dd8448eb211c80319c",
      span_id: "00f067aa0ba902b7",
      attributes: {
        region: "us",
        big: "9223372036854775807",
        neg: "-42",
        half: "0.5",
        ok: "true",
        list: '["a\\"b",2,null]',
        "map.k": "v",
        raw: "AQID",
        nothing: "null",
        severity_text: "Warning",
        event_name: "login",
        trace_flags: "1",
        "resource.region": "eu",
        "scope.name": "lib",
        "scope.version": "1.2",
        "scope.x": "1",
      },
      attribute_types: "snnnbjss0ssnsssn",
    },
  ]);
  expect(JSON.parse(String(otlpLogs.answer(result, headOf("application/json")).body))).toEqual({});
  expect(otlpLogs.answer(result, headOf("application/x-protobuf")).body).toHaveLength(0);
});

test("bodies that are no text, and the observed time", async () => {
  const { events } = await both(
    logs(
      {
        observedTimeUnixNano: at,
        body: {
          kvlistValue: {
            values: [
              { key: "msg", value: text("m") },
              { key: "n", value: { intValue: 1 } },
            ],
          },
        },
      },
      { body: { arrayValue: { values: [{ boolValue: false }] } } },
      { timeUnixNano: "0" },
    ),
  );
  expect(events.map(({ timestamp, message, attributes }) => [timestamp, message, attributes])).toEqual([
    [1_714_979_289_000_000_001n, "m", { "body.n": "1" }],
    [0n, "[false]", {}],
    [0n, "", {}],
  ]);
});

test("integers written as numbers keep their digits, and the proto's own names are known", async () => {
  const body = `{"resource_logs":[{"scope_logs":[{"log_records":[{"time_unix_nano":1714979289000000001,"body":{"int_value":9007199254740993},"future":[1]}]}]}]}`;
  const { events } = await parseWith(otlpLogs, body);
  expect(events).toMatchObject([{ timestamp: 1_714_979_289_000_000_001n, message: "9007199254740993" }]);
});

test("bad records are named, the good ones kept, and the answer says so in its encoding", async () => {
  const { events, result } = await both(
    logs(
      { timeUnixNano: at, body: text("a") },
      { timeUnixNano: "9999999999999999999" },
      { timeUnixNano: at, attributes: [{ key: "k".repeat(513), value: text("x") }] },
      { timeUnixNano: at, body: text("b") },
    ),
  );
  expect(events.map((e) => e.message)).toEqual(["a", "b"]);
  const json = otlpLogs.answer(result, headOf("application/json"));
  expect(json.status).toBe(200);
  const said = JSON.parse(String(json.body)).partialSuccess;
  expect(said.rejectedLogRecords).toBe("2");
  expect(said.errorMessage).toMatch(/time_out_of_range.*Records: 1\..*name_too_long.*Records: 2\./);
  const proto = otlpLogs.answer(result, headOf("application/x-protobuf"));
  expect(
    root.lookupType("Response").toObject(root.lookupType("Response").decode(proto.body as Buffer), { longs: String }),
  ).toEqual({
    partialSuccess: said,
  });
});

test("a value that nests too deep is the fault of its record alone", async () => {
  let value = bytesField(1, "x");
  for (let i = 0; i < 2_000; i++) value = bytesField(5, bytesField(1, value));
  const json = `${'{"arrayValue":{"values":['.repeat(2_000)}{}${"]}}".repeat(2_000)}`;
  const body = JSON.stringify(logs({ body: "deep" }, { body: text("b") })).replace('"deep"', json);
  const asJson = await parseWith(otlpLogs, body);
  const records = Buffer.concat([
    bytesField(2, bytesField(5, value)),
    bytesField(2, bytesField(5, bytesField(1, "b"))),
  ]);
  const asProtobuf = await parseWith(otlpLogs, bytesField(1, bytesField(2, records)), binary);
  for (const { events, rejected } of [asJson, asProtobuf]) {
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([[0, "too_deep"]]);
    expect(events.map(({ message }) => message)).toEqual(["b"]);
  }
});

test("an empty request is a success", async () => {
  expect((await parseWith(otlpLogs, Buffer.alloc(0), binary)).result.accepted).toBe(0);
  expect((await parseWith(otlpLogs, "{}")).result.accepted).toBe(0);
});

test.each(["", "[]", "null", "{", '{"resourceLogs":{}}', '{"resourceLogs":[1]}', "[".repeat(100_000)])(
  "refuses the JSON %#",
  (body) => expect(parseWith(otlpLogs, body)).rejects.toMatchObject({ status: 400 }),
);

test("no bytes make the protobuf reader fail otherwise than it says", async () => {
  const good = toProtobuf(
    logs({ timeUnixNano: at, body: text("a"), attributes: [{ key: "k", value: { intValue: "1" } }] }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(good.length),
      async (changes, cut) => {
        const bytes = Buffer.from(good.subarray(0, cut));
        for (const [place, value] of changes) if (place < cut) bytes[place] = value;
        await parseWith(otlpLogs, bytes, binary).catch((error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
          expect(error.status).toBe(400);
        });
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a repeat of the same bytes has the same ids, unless a record has no time", async () => {
  const keys = async (json: Json) => [
    (await parseWith(otlpLogs, JSON.stringify(json))).parts.dedupKey,
    (await parseWith(otlpLogs, toProtobuf(json), binary)).parts.dedupKey,
  ];
  const timed = logs({ timeUnixNano: at, body: text("a") }, { observedTimeUnixNano: at });
  expect(await keys(timed)).toEqual(await keys(timed));
  expect((await keys(timed)).every((key) => key.startsWith("body:"))).toBe(true);
  expect(await keys(logs({ timeUnixNano: at }, { body: text("a") }))).toEqual(["", ""]);
});

test("errors are google.rpc.Status, and what may pass is 503", () => {
  const head = headOf("application/x-protobuf");
  const status = (refusal: Refusal) => {
    const answer = otlpLogs.error(refusal, head);
    return [answer.status, root.lookupType("Status").toObject(root.lookupType("Status").decode(answer.body as Buffer))];
  };
  expect(status(new Refusal("key_unknown", "No."))).toEqual([401, { code: 16, message: "key_unknown: No." }]);
  expect(status(new Refusal("rate_limited", "Slow."))).toEqual([429, { code: 8, message: "rate_limited: Slow." }]);
  expect(status(new Refusal("internal", "Oh."))).toEqual([503, { code: 14, message: "internal: Oh." }]);
});
