/** The audit trail while Kafka or Postgres is away. */
import { connectPostgres } from "@astralog/schemas/postgres";
import { ownStack, platform } from "@astralog/testbed";
import { expect, test } from "@jest/globals";
import { callApi, planter, until } from "../api.driver.ts";

test("what cannot be told is not done, and what failed is told as failed", async () => {
  const stack = await ownStack();
  const one = await platform(stack);
  const call = callApi(await one.start("api"));
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const plant = planter(one);
  await plant.letter({ tenant: one.tenant, partition: 1, offset: 5, index: -1, reason: "x", encryption: "none" });
  const ask = (method: string, path: string) => call(one.adminKey, method, path);
  await until("the key", async () => ((await ask("GET", "/audit/head")).status === 200 ? true : undefined));

  await stack.servers.kafka.kill();
  const replayed = await ask("POST", "/dead/1-5/replay");
  expect(replayed.status).toBeGreaterThanOrEqual(500);
  // An export ends with the head in Kafka, which cannot have this export's own event yet.
  expect((await ask("GET", "/audit/export")).body.code).toBe("kafka_unavailable");
  const told = await db
    .selectFrom("audit_events")
    .select(["action", "result"])
    .where("tenant", "=", one.tenant)
    .where("action", "=", "dead_letter.replayed")
    .orderBy("seq")
    .execute();
  expect(told.map(({ result }) => result)).toEqual(["ok", "failed"]);
  await stack.servers.kafka.start();
  await until("the head of it", async () => {
    const { body } = await ask("GET", "/audit/head");
    return (body.head as { seq: number }).seq >= 8 ? true : undefined;
  });

  await stack.servers.postgres.kill();
  for (const [method, path] of [
    ["GET", "/dead"],
    ["GET", "/dead/1-5"],
    ["POST", "/dead/1-5/replay"],
    ["GET", "/audit"],
    ["GET", "/audit/export"],
  ] as const) {
    expect([path, (await ask(method, path)).body.code]).toEqual([path, "postgres_unavailable"]);
  }
  expect((await call(one.queryKey, "GET", "/search")).status).toBe(200);
  await db.destroy();
  await plant.close();
  await one.stop();
  await stack.stop();
});
