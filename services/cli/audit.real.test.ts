/** astralog audit as users run it: list, export, take a head, verify without a server, find a change. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const bin = fileURLToPath(new URL("bin/astralog.mjs", import.meta.url));
let one: Platform;
let api: RunningService;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "astralog-audit-"));
  one = await platform(sharedStack());
  api = await one.start("api");
});
afterAll(async () => {
  await one.stop();
  rmSync(folder, { recursive: true, force: true });
});

const astralog = async (...args: string[]) => {
  const child = spawn(process.execPath, [bin, "audit", ...args], {
    cwd: folder,
    stdio: "pipe",
    env: { PATH: process.env.PATH, ASTRALOG_API: api.url, ASTRALOG_ADMIN_KEY: one.adminKey },
  });
  child.stdin.end();
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { out, err, code };
};

test("the trail is listed, exported and checked; a changed export is not believed", async () => {
  // The first keys reach the api in a moment.
  for (let i = 0; i < 100 && (await astralog("head")).code !== 0; i++) await sleep(100);
  for (let i = 0; i < 30; i++) {
    await fetch(`${api.url}/api/v1/sources`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.adminKey}`, "content-type": "application/json" },
      body: JSON.stringify({ name: `s${i}` }),
    });
  }
  const list = await astralog("list", "--action", "source.created", "--limit", "5");
  expect(list.out).toMatch(
    /^SEQ +AT +ACTOR +ACTION +TARGET +FROM +RESULT\n +\d+ +20\S+Z +bootstrap \(key_\w+\) +source\.created +src_\w+ +127\.0\.0\.1 +ok\n/,
  );
  expect(list.out.trimEnd().split("\n")).toHaveLength(6);
  expect((await astralog("--json")).out.trimEnd().split("\n").length).toBeGreaterThanOrEqual(35);

  const head = await astralog("head");
  writeFileSync(join(folder, "head.json"), head.out);
  expect(await astralog("export", "--output", "trail.jsonl")).toEqual({ out: "", err: "", code: 0 });
  expect((await astralog("export", "--output", "trail.jsonl")).err).toContain("exists already");
  const { public_key } = JSON.parse(head.out) as { public_key: string };
  const good = await astralog("verify", "trail.jsonl", "--head", "head.json", "--public-key", public_key);
  expect(good).toMatchObject({ code: 0, out: expect.stringMatching(/^unbroken: \d+ events of tn_\w+, /) });

  const trail = readFileSync(join(folder, "trail.jsonl"), "utf8");
  writeFileSync(join(folder, "changed.jsonl"), trail.replace('"name":"s20"', '"name":"s99"'));
  const bad = await astralog("verify", "changed.jsonl");
  expect([bad.code, bad.out]).toEqual([1, expect.stringMatching(/^broken at seq 26: .*\(changed\)\n$/)]);

  const csv = await astralog("export", "--format", "csv");
  writeFileSync(join(folder, "trail.csv"), csv.out);
  expect(await astralog("verify", "trail.csv", "--head", "head.json", "--public-key", public_key)).toMatchObject({
    code: 0,
  });
});
