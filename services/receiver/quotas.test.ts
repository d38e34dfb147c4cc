import type { SourceRecord, TenantLimits, TenantUsage } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createDailyVolume, type Volume } from "./daily-volume.ts";
import { createQuotas } from "./quotas.ts";
import { Refusal } from "./refusals.ts";

const day = "2026-03-01";
const noon = Date.parse(`${day}T12:00:00Z`);

const grantOf = (source: Partial<SourceRecord> = {}, tenant = "tn_1") => ({
  tenant,
  keyId: "key_1",
  source: {
    ...{ tenant, source: "src_1", name: "app", disabled: false, retention_days: 30, partitions: 4 },
    max_bytes_per_second: 0n,
    native_partitions: [],
    ...source,
  },
});
const plan = (limits: Partial<TenantLimits> = {}): TenantLimits => ({
  ...{ tenant: "tn_1", plan: "free", retention_days: 7, partitions: 1 },
  ...{ max_bytes_per_second: 0n, daily_bytes: 0n },
  ...limits,
});
const refusal = (act: () => unknown): Refusal => {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
  }
  throw new Error("it was not refused");
};

test("at any moment, what is used is what Kafka has plus what is being sent: nothing twice, nothing left out", () => {
  const act = fc.oneof(
    fc.record({ kind: fc.constant("send" as const), bytes: fc.integer({ min: 1, max: 1_000 }) }),
    fc.record({ kind: fc.constant("confirm" as const), which: fc.nat(), partition: fc.nat(3) }),
    fc.record({ kind: fc.constant("fail" as const), which: fc.nat() }),
    fc.record({ kind: fc.constant("announce" as const), partition: fc.nat(3), upTo: fc.nat(9) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      let usage: TenantUsage | undefined;
      const volume = createDailyVolume(() => usage);
      const sending: { volume: Volume; bytes: number }[] = [];
      const lanes: number[][] = [[], [], [], []];
      const counted = [0, 0, 0, 0];
      for (const one of acts) {
        if (one.kind === "send") sending.push({ volume: volume.begin("tn", day, one.bytes), bytes: one.bytes });
        else if (one.kind === "announce") {
          const lane = lanes[one.partition] ?? [];
          counted[one.partition] = Math.max(counted[one.partition] ?? 0, Math.min(one.upTo, lane.length));
          const bytes = lanes.flatMap((l, i) => l.slice(0, counted[i])).reduce((all, some) => all + some, 0);
          usage = {
            tenant: "tn",
            day,
            bytes: BigInt(bytes),
            through: Object.fromEntries(counted.flatMap((n, i) => (n === 0 ? [] : [[String(i), BigInt(n - 1)]]))),
          };
          volume.learn("tn");
        } else if (sending.length > 0) {
          const [it] = sending.splice(one.which % sending.length, 1);
          if (it === undefined) continue;
          if (one.kind === "confirm") {
            const lane = lanes[one.partition] ?? [];
            lane.push(it.bytes);
            it.volume.placed(one.partition, lane.length - 1, it.bytes);
          }
          it.volume.end();
        }
        const inKafka = lanes.flat().reduce((all, bytes) => all + bytes, 0);
        const onTheWay = sending.reduce((all, { bytes }) => all + bytes, 0);
        expect(volume.used("tn", day)).toBe(inKafka + onTheWay);
      }
    }),
  );
});

test("a record that the ledger had before its acknowledgement came is counted once", () => {
  const usage: TenantUsage = { tenant: "tn", day, bytes: 70n, through: { 3: 9n } };
  const volume = createDailyVolume(() => usage);
  const sent = volume.begin("tn", day, 70);
  sent.placed(3, 9, 70);
  sent.end();
  expect(volume.used("tn", day)).toBe(70);
});

test("a day begins with nothing, whatever was announced or sent on the one before", () => {
  const volume = createDailyVolume(() => ({ tenant: "tn", day, bytes: 5n, through: {} }));
  const late = volume.begin("tn", day, 10);
  expect(volume.used("tn", day)).toBe(15);
  expect(volume.used("tn", "2026-03-02")).toBe(0);
  volume.begin("tn", "2026-03-02", 1);
  late.placed(0, 0, 10);
  late.end();
  expect(volume.used("tn", "2026-03-02")).toBe(1);
});

test("over the day's volume the answer names the limit, what is used, and when it begins anew", () => {
  const limits = plan({ daily_bytes: 100n });
  const usage: TenantUsage = { tenant: "tn_1", day, bytes: 99n, through: {} };
  const quotas = createQuotas({ limits: () => limits, usage: () => usage, now: () => noon });
  const [first, second] = [quotas.admit(grantOf()), quotas.admit(grantOf())];
  // There is a byte left, so one request is taken whole; another that was let in beside it is not.
  first.take(1_000);
  const refused = refusal(() => second.take(1));
  expect([refused.code, refused.status, refused.retryAfter]).toEqual(["quota_exhausted", 429, 3_600]);
  expect(refused.details).toEqual({
    limit: 100,
    used: 1_099,
    unit: "bytes/day",
    resets_at: "2026-03-02T00:00:00.000Z",
  });
  for (const part of ["free", "100 bytes", "1099 are used", "2026-03-02T00:00:00.000Z"])
    expect(refused.message).toContain(part);
  expect(refusal(() => quotas.admit(grantOf())).code).toBe("quota_exhausted");
  const evening = createQuotas({ limits: () => limits, usage: () => usage, now: () => noon + 43_199_500 });
  evening.admit(grantOf()).take(1);
  expect(refusal(() => evening.admit(grantOf())).retryAfter).toBe(1);
});

test("all sources of a tenant share its rate, and another tenant's is its own", () => {
  const quotas = createQuotas({ limits: () => plan({ max_bytes_per_second: 100n }), usage: () => undefined });
  quotas.admit(grantOf()).spend(1_000, performance.now());
  const refused = refusal(() => quotas.admit(grantOf({ source: "src_2" })));
  expect([refused.code, refused.details.limit, refused.retryAfter]).toEqual(["rate_limited", 100, 8]);
  expect(quotas.admit(grantOf({}, "tn_2")).partitions).toBe(1);
});

test("a source keeps its own rate, and never more days or partitions than the plan has", () => {
  const quotas = createQuotas({ limits: (tenant) => (tenant === "tn_1" ? plan() : undefined), usage: () => undefined });
  const allowed = quotas.admit(grantOf());
  expect([allowed.retentionDays, allowed.partitions]).toEqual([7, 1]);
  expect(quotas.admit(grantOf({ retention_days: 3 })).retentionDays).toBe(3);
  // Nothing is announced of the tenant: its sources are all there is.
  expect(quotas.admit(grantOf({}, "tn_2"))).toMatchObject({ retentionDays: 30, partitions: 4 });
  quotas.admit(grantOf({ source: "src_3", max_bytes_per_second: 10n })).spend(100, performance.now());
  expect(refusal(() => quotas.admit(grantOf({ source: "src_3", max_bytes_per_second: 10n }))).code).toBe(
    "rate_limited",
  );
  expect(quotas.admit(grantOf()).retentionDays).toBe(7);
});
