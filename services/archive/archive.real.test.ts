/** The archive on real Kafka, ClickHouse and a server of buckets, killed while it writes; the sink's table is the judge. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BucketServer, choosePorts, startBucketServer, state } from "@astralog/local";
import { newClientKey } from "@astralog/schemas/encrypted-object";
import type { StorageConnection } from "@astralog/schemas/storage";
import {
  askAs,
  createFeeder,
  decryptFiles,
  type Feeder,
  type Platform,
  platform,
  readableIn,
  type Sql,
  settled,
  sharedStack,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { bucketName, checkManifests, connectionTo, createTeller, rowsInBucket, rowsInTable } from "./archive.driver.ts";

jest.setTimeout(300_000);

let astralog: Platform;
let feeder: Feeder;
let sql: Sql;
let teller: Awaited<ReturnType<typeof createTeller>>;
let folder: string;
const servers: BucketServer[] = [];

const startServer = async (name: string, port: number, secretAccessKey?: string): Promise<BucketServer> => {
  const server = await startBucketServer({
    ...{ dir: join(folder, name), log: join(folder, `${name}.log`), port, buckets: [bucketName] },
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
  });
  servers.push(server);
  return server;
};

beforeAll(async () => {
  folder = mkdtempSync(join(state, "archive-"));
  const stack = sharedStack();
  astralog = await platform(stack);
  const { url, database, users } = stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  feeder = await createFeeder(astralog.env("redactor"), { partitions: 12, events: 20 });
  teller = await createTeller(astralog.env("api"));
});

afterAll(async () => {
  await teller?.close();
  await feeder?.close();
  await astralog?.stop();
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const until = async <T>(what: () => Promise<T>, wanted: (value: T) => boolean, withinMs = 90_000): Promise<T> => {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await what();
    if (wanted(value) || Date.now() > end) return value;
    await sleep(500);
  }
};

test("killed again and again it writes each event once; a bucket that is down waits, holds up nobody, and gets all", async () => {
  const ports = await choosePorts({ up: 0, down: 0 });
  const up = await startServer("up", ports.up);
  const secretAccessKey = "of-a-server-that-is-not-there-yet";
  const clientKey = newClientKey().toString("base64");
  const [here, hidden, there] = [
    connectionTo(up, astralog, "sto_here00000000"),
    connectionTo(up, astralog, "sto_hidden000000", { clientKeys: [clientKey] }),
    connectionTo(
      { url: `http://127.0.0.1:${ports.down}`, accessKeyId: "astralog-local", secretAccessKey },
      astralog,
      "sto_there0000000",
    ),
  ];
  await teller.say(here);
  await teller.say(hidden);
  await teller.say(there);
  const env = { OUTGOING_ALLOWED: "127.0.0.0/8", FLUSH_SECONDS: "1" };
  await astralog.start("sink");

  let over = false;
  const feeding = (async () => {
    while (!over) {
      await feeder.feed(3);
      await sleep(150);
    }
  })();
  for (let i = 0; i < 3; i++) {
    const archive = await astralog.start("archive", env);
    await sleep(4_000 + Math.random() * 3_000);
    await archive.kill("SIGKILL");
  }
  over = true;
  await feeding;
  await astralog.start("archive", env);

  await settled(sql, feeder);
  const stored = await rowsInTable(sql, feeder.raw);
  expect(stored.rows).toBeGreaterThan(1_000);
  const archived = await until(
    () => rowsInBucket(sql, up, here),
    ({ rows }) => rows >= stored.rows,
  );
  expect(archived).toEqual(stored);
  const manifests = await until(
    async () => checkManifests(up, here),
    ({ events }) => events >= stored.rows,
  );
  expect(manifests.problems).toEqual([]);
  expect(manifests.events).toBe(stored.rows);

  // The same in the bucket whose keeper is to read nothing: as it lies there, and with the key.
  const folderOf = ({ prefix, id }: StorageConnection) => join(up.data, bucketName, prefix, id);
  const opened = { ...hidden, id: "opened" };
  const decrypted = await until(
    () => {
      decryptFiles(folderOf(hidden), folderOf(opened), [clientKey]);
      return rowsInBucket(sql, up, opened);
    },
    ({ rows }) => rows >= stored.rows,
  );
  expect(decrypted).toEqual(stored);
  const sealed = await until(
    async () => {
      decryptFiles(folderOf(hidden), folderOf(opened), [clientKey]);
      return checkManifests(up, opened);
    },
    ({ events }) => events >= stored.rows,
  );
  expect([sealed.problems, sealed.events]).toEqual([[], stored.rows]);
  const words = ["PAR1", "feeder", "tn_test", '"version"'];
  const { files, found } = readableIn(folderOf(hidden), words);
  expect([files > sealed.objects, found]).toEqual([true, []]);
  // They would be found: without encryption there is something of each.
  const plain = readableIn(folderOf(opened), words).found.join();
  for (const word of words) expect(plain).toContain(word);

  const down = await startServer("down", ports.down, secretAccessKey);
  const drained = await until(
    () => rowsInBucket(sql, down, there),
    ({ rows }) => rows >= stored.rows,
  );
  expect(drained).toEqual(stored);
});
