import { eventSpans, readBatchHeader } from "@astralog/schemas";
import { maxEventBytes, maxFields, maxNameBytes } from "@astralog/schemas/json/index";
import { expect, test } from "@jest/globals";
import { recycle } from "./event-parts.ts";
import { maxRejected, recordEvents } from "./limits.ts";
import { native } from "./native.ts";
import { headOf, parseWith } from "./parsed.driver.ts";

const lines = { contentType: "application/x-ndjson" };
const messages = async (body: string, options = {}) =>
  (await parseWith(native, body, options)).events.map((e) => e.message);
const refused = (body: string | Buffer, options = {}) =>
  parseWith(native, body, options).then(
    () => "taken",
    (error: { code: string }) => error.code,
  );

test.each([
  ["an object", '{"message":"a"}', {}, ["a"]],
  ["an object over several lines", '{\n "message":\r\n "a"\n}\n', {}, ["a"]],
  ["an array", ' [ {"message":"a"} , {"message":"b"} ] ', {}, ["a", "b"]],
  ["an empty array", "[]", {}, []],
  ["an array of anything", '["a",1.50,null,["x"],{"msg":"b"}]', {}, ["a", "1.50", "null", '["x"]', "b"]],
  ["a scalar", '"a"', {}, ["a"]],
  ["lines under the type of one", '{"msg":"a"}\n{"msg":"b"}\n', {}, ["a", "b"]],
  ["lines without a type", '{"msg":"a"}\r\n\r\n{"msg":"b"}', { contentType: "" }, ["a", "b"]],
  ["lines of anything", '\n{"msg":"a"}\n"b"\n[1]\n 7 \n', lines, ["a", "b", "[1]", "7"]],
  ["a byte order mark", '\ufeff{"msg":"a"}', {}, ["a"]],
  ["text", "one\r\n\n two\nthree", { contentType: "text/plain" }, ["one", " two", "three"]],
])("%s", async (_, body, options, expected) => expect(await messages(body, options)).toEqual(expected));

test.each([
  ["", "body_empty"],
  ["\ufeff", "body_empty"],
  ["   ", "body_malformed"],
  ['{"a":1', "body_malformed"],
  ['[{"a":1},]', "body_malformed"],
  ['[{"a":1}] x', "body_malformed"],
  ["[][]", "body_malformed"],
  ['{"a":1}{"b":2}', "body_malformed"],
  ["[".repeat(100_000), "too_deep"],
  [`${"[".repeat(1_000)}`, "body_malformed"],
])("refuses a bad body %#", async (body, code) => expect(await refused(body)).toBe(code));

test("refuses what is not UTF-8, whatever its type", async () => {
  for (const contentType of ["application/json", "text/plain", "application/x-ndjson"])
    expect(await refused(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), { contentType })).toBe("not_utf8");
});

test.each([
  [{ contentType: "image/png" }, "content_type_unsupported"],
  [{ contentType: "application/json; charset=latin1" }, "content_type_unsupported"],
  [{ query: "timefield=x" }, "parameter_unknown"],
  [{ query: "time_field=a&time_field=b" }, "parameter_invalid"],
  [{ query: "dry_run=maybe" }, "parameter_invalid"],
])("refuses %j before the body", async (options, code) => expect(await refused("{}", options)).toBe(code));

test("says where a body is malformed", async () => {
  await expect(parseWith(native, '[\n {"a":1},\n {"a" 2}\n]')).rejects.toThrow("line 3, byte 7");
});

test("bad lines are named and the good ones kept, in order", async () => {
  const { events, rejected, result } = await parseWith(
    native,
    '{"msg":"a"}\n{"msg":\n{"msg":"b"} x\n{"msg":"c"}\n{"ts":99999999999999999999}\n[1,]\n{"msg":"d"}',
    lines,
  );
  expect(events.map((e) => e.message)).toEqual(["a", "c", "d"]);
  expect(rejected.map(({ index, code, field }) => [index, code, field])).toEqual([
    [1, "line_malformed", undefined],
    [2, "line_malformed", undefined],
    [4, "time_out_of_range", "ts"],
    [5, "line_malformed", undefined],
  ]);
  expect(native.answer(result, headOf("")).status).toBe(200);
});

test("in lines that say they are one JSON document only objects are events", async () => {
  const { rejected } = await parseWith(native, '{"a":1}\n"b"\n');
  expect(rejected.map(({ index }) => index)).toEqual([1]);
});

const padded = (bytes: number): string => {
  const frame = '{"message":""}'.length;
  return `{"message":"${"x".repeat(bytes - frame)}"}`;
};

test("an event may have 1 MiB and not a byte more", async () => {
  const { events, rejected } = await parseWith(
    native,
    `${padded(maxEventBytes)}\n${padded(maxEventBytes + 1)}\n{"a":1}`,
    lines,
  );
  expect(events).toHaveLength(2);
  expect(rejected).toMatchObject([{ index: 1, code: "event_too_large" }]);
  const alone = await parseWith(native, padded(maxEventBytes + 1));
  expect(native.answer(alone.result, headOf("")).status).toBe(413);
});

test("an event may have 1,000 attributes, names of 512 bytes and 64 levels, and no more", async () => {
  const wide = (n: number) => JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i])));
  const named = (n: number) => JSON.stringify({ a: { ["n".repeat(n - 2)]: 1 } });
  const deep = (n: number) => `${'{"a":'.repeat(n)}1${"}".repeat(n)}`;
  const body = [wide(maxFields), wide(5_000), named(maxNameBytes), named(maxNameBytes + 1), deep(64), deep(1_000)].join(
    "\n",
  );
  const { events, rejected } = await parseWith(native, body, lines);
  expect(events).toHaveLength(3);
  expect(rejected.map(({ index, code }) => [index, code])).toEqual([
    [1, "too_many_fields"],
    [3, "name_too_long"],
    [5, "too_deep"],
  ]);
});

test("when all are bad the answer is an error, and when too many are the body is refused", async () => {
  const { result } = await parseWith(native, "{\n{\n", lines);
  const answer = native.answer(result, headOf(""));
  expect(answer.status).toBe(400);
  expect(JSON.parse(String(answer.body))).toMatchObject({ code: "all_rejected", accepted: 0, rejected: [{}, {}] });
  expect(await refused('{"a":1}\n'.concat("x\n".repeat(maxRejected + 1)), lines)).toBe("too_many_rejected");
});

test("a body is cut into records at the same places each time, and a key makes their ids the same", async () => {
  const body = Array.from({ length: recordEvents * 2 + 5 }, (_, i) => `{"n":${i}}`).join("\n");
  const ids = async (idempotencyKey: string) =>
    (await parseWith(native, body, { ...lines, idempotencyKey })).parts.parts.map((part) => {
      const header = readBatchHeader(part.value);
      expect(header).toMatchObject({ tenant: "tn_1", source: "src_1", protocol: "native", retention_days: 30 });
      expect(header.accepted).toBe(eventSpans(part.value, header.eventsAt).length / 2);
      return [header.dedup_id, header.accepted] as const;
    });
  const [a, b] = [await ids("k1"), await ids("k1")];
  expect(a.map(([, count]) => count)).toEqual([recordEvents, recordEvents, 5]);
  expect(a).toEqual(b);
  expect(new Set([...a, ...(await ids("k2")), ...(await ids("")), ...(await ids(""))].map(([id]) => id)).size).toBe(12);
});

test("a large body is taken in turns and nothing of it is lost", async () => {
  const count = 15_000;
  const body = Array.from({ length: count }, (_, i) => `{"message":"line ${i} ${"x".repeat(600 + (i % 60))}"}`);
  let turns = 0;
  let going = true;
  const others = (): void => {
    turns++;
    if (going) setImmediate(others);
  };
  setImmediate(others);
  for (const text of [body.join("\n"), `[${body.join(",")}]`]) {
    const { parts } = await parseWith(native, text);
    expect(parts.accepted).toBe(count);
  }
  going = false;
  expect(turns).toBeGreaterThan(2);
});

test("a record written where another lay before is whole", async () => {
  const long = Array.from({ length: 500 }, (_, i) => `{"msg":"long ${i} ${"x".repeat(i)}"}`).join("\n");
  const first = await parseWith(native, long, lines);
  recycle(first.parts.parts);
  const second = await parseWith(native, '{"msg":"short"}', lines);
  expect(second.parts.parts[0]?.room).toBe(first.parts.parts[0]?.room);
  expect(second.events.map(({ message }) => message)).toEqual(["short"]);
  recycle(second.parts.parts);
  expect((await parseWith(native, long, lines)).events).toEqual(first.events);
});
