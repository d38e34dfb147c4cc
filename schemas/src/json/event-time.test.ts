import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { instant, readTimeNumber, readTimeText, settleDigits, settleHalves } from "./event-time.ts";

const nanoseconds = (): bigint => BigInt(instant.millis) * 1_000_000n + BigInt(instant.nanos);
const text = (value: string): bigint | string => {
  const bytes = Buffer.from(value);
  const verdict = readTimeText(bytes, 0, bytes.length);
  return verdict === "time" ? nanoseconds() : verdict;
};
const number = (value: string): bigint | string => {
  const bytes = Buffer.from(`[${value}]`);
  const verdict = readTimeNumber(bytes, 1, bytes.length - 1);
  return verdict === "time" ? nanoseconds() : verdict;
};
const utc = (iso: string, nanos = 0n): bigint => BigInt(Date.parse(iso)) * 1_000_000n + nanos;

test.each([
  ["2024-05-06T07:08:09Z", utc("2024-05-06T07:08:09Z")],
  ["2024-05-06t07:08:09z", utc("2024-05-06T07:08:09Z")],
  ["2024-05-06 07:08:09,5", utc("2024-05-06T07:08:09.500Z")],
  ["2024-05-06T07:08:09", utc("2024-05-06T07:08:09Z")],
  ["2024-05-06T07:08:09.123456789Z", utc("2024-05-06T07:08:09.123Z", 456_789n)],
  ["2024-05-06T07:08:09.1234567891234Z", utc("2024-05-06T07:08:09.123Z", 456_789n)],
  ["2024-05-06T07:08:09.12345+05:30", utc("2024-05-06T01:38:09.123Z", 450_000n)],
  ["2024-05-06T07:08:09-0800", utc("2024-05-06T15:08:09Z")],
  ["2024-02-29T00:00:00+14", utc("2024-02-28T10:00:00Z")],
  ["2016-12-31T23:59:60Z", utc("2017-01-01T00:00:00Z")],
  ["1969-07-20T20:17:40.000000001Z", utc("1969-07-20T20:17:40Z", 1n)],
  ["1900-01-01T00:00:00Z", utc("1900-01-01T00:00:00Z")],
  ["2262-04-11T23:47:16.854775807Z", 2n ** 63n - 1n],
  ["1700000000", 1_700_000_000_000_000_000n],
  ["1700000000123", 1_700_000_000_123_000_000n],
])("%s is a time", (given, expected) => expect(text(given)).toBe(expected));

test.each([
  "",
  "yesterday",
  "2024-05-06",
  "2023-02-29T00:00:00Z",
  "2024-13-01T00:00:00Z",
  "2024-05-06T24:00:00Z",
  "2024-05-06T07:60:09Z",
  "2024-05-06T07:08:09.Z",
  "2024-05-06T07:08:09+25:00",
  "2024-05-06T07:08:09ZZ",
  "2024-05-06T07:08:0xZ",
  "06/May/2024:07:08:09 +0000",
  "1970-01-01T00:00:00Z",
  "0001-01-01T00:00:00Z",
  "12:30",
  "1.2.3.4",
])("%s is no time", (given) => expect(text(given)).toBe("no_time"));

test.each(["1899-12-31T23:59:59Z", "2262-04-11T23:47:16.854775808Z", "9999-12-31T23:59:59Z", "0002-01-01T00:00:00Z"])(
  "%s cannot be stored",
  (given) => expect(text(given)).toBe("out_of_range"),
);

test.each([
  ["1700000000", 1_700_000_000_000_000_000n],
  ["1700000000.123456789", 1_700_000_000_123_456_789n],
  ["1700000000.5", 1_700_000_000_500_000_000n],
  ["1700000000123", 1_700_000_000_123_000_000n],
  ["1700000000123.456", 1_700_000_000_123_456_000n],
  ["1700000000123456", 1_700_000_000_123_456_000n],
  ["1700000000123456789", 1_700_000_000_123_456_789n],
  ["-1700000000.25", -1_700_000_000_250_000_000n],
  ["1.7e9", 1_700_000_000_000_000_000n],
])("%s is a time by its magnitude", (given, expected) => expect(number(given)).toBe(expected));

test.each(["0", "-1", "0.25", "99999999", "1e-9"])("%s is no time", (given) => expect(number(given)).toBe("no_time"));
test.each(["9223372036854775808", "99999999999999999999", "1e400", "-9e18"])("%s cannot be stored", (given) =>
  expect(number(given)).toBe("out_of_range"),
);

test("every instant comes back to the nanosecond, as text in any zone, as digits and as halves", () => {
  const first = BigInt(Date.UTC(1900, 0, 1)) * 1_000_000n;
  fc.assert(
    fc.property(
      fc.bigInt({ min: first, max: 2n ** 63n - 1n }),
      fc.integer({ min: -1439, max: 1439 }),
      (instantNs, zone) => {
        fc.pre(instantNs !== 0n && instantNs !== -1n);
        const nanos = ((instantNs % 1_000_000n) + 1_000_000n) % 1_000_000n;
        const local = new Date(Number((instantNs - nanos) / 1_000_000n) + zone * 60_000);
        fc.pre(local.getUTCFullYear() < 10_000);
        const offset = `${zone < 0 ? "-" : "+"}${new Date(Math.abs(zone) * 60_000).toISOString().slice(11, 16)}`;
        const written = `${local.toISOString().slice(0, -1)}${String(nanos).padStart(6, "0")}${offset}`;
        expect(text(written)).toBe(instantNs);
        if (instantNs > 1_000_000n) {
          expect(settleDigits(String(instantNs))).toBe("time");
          expect(nanoseconds()).toBe(instantNs);
          expect(settleHalves(Number(instantNs & 0xffff_ffffn), Number(instantNs >> 32n))).toBe("time");
          expect(nanoseconds()).toBe(instantNs);
        }
        if (instantNs >= 10n ** 17n) expect(number(String(instantNs))).toBe(instantNs);
      },
    ),
    { numRuns: 2_000 },
  );
});
