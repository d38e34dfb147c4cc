import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "@jest/globals";
import { startChild, untilReady } from "./child.ts";

const dir = mkdtempSync(join(tmpdir(), "child-"));
afterAll(() => rmSync(dir, { recursive: true }));
const log = join(dir, "child.log");
const shell = (name: string, script: string) => startChild({ name, command: "sh", args: ["-c", script], log });

/** A zombie, which its parent has not asked about yet, is not alive. */
const alive = (pid: number): boolean =>
  /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim());

test("its output is read from where it began, not from an earlier one's", async () => {
  await (await shell("first", "echo earlier")).exited;
  const child = await shell("second", "echo later; sleep 60");
  await untilReady(child, () => child.output().includes("later"), 5_000);
  expect(child.output()).toBe("later\n");
  await child.kill();
});

test("one that ends before it is ready fails with its last words", async () => {
  const child = await shell("hasty", "echo 'the port is taken'; exit 3");
  await expect(untilReady(child, () => false, 5_000)).rejects.toThrow(
    /hasty ended at its start \(3\).*\nthe port is taken/s,
  );
});

test("one that is never ready is killed, and the error says so", async () => {
  const child = await shell("slow", "sleep 60");
  await expect(untilReady(child, () => false, 200)).rejects.toThrow("slow was not ready within 0.2 s");
  expect((await child.exited).signal).toBe("SIGKILL");
});

test("one that does not stop in time is killed", async () => {
  const child = await shell("deaf", "trap '' TERM; echo on; while :; do sleep 0.1; done");
  await untilReady(child, () => child.output().includes("on"), 5_000);
  expect((await child.stop(300)).signal).toBe("SIGKILL");
});

test("when its starter is killed with -9, it is ended too", async () => {
  const script = join(dir, "starter.ts");
  writeFileSync(
    script,
    `import { startChild } from ${JSON.stringify(new URL("child.ts", import.meta.url).href)};
     const child = await startChild({ name: "kept", command: "sleep", args: ["60"], log: ${JSON.stringify(log)} });
     process.stdout.write(String(child.pid));
     setInterval(() => undefined, 1000);`,
  );
  const starter = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = Number(
    await new Promise<string>((resolve) => starter.stdout.once("data", (data) => resolve(String(data)))),
  );
  expect(alive(pid)).toBe(true);
  starter.kill("SIGKILL");
  for (let tries = 0; tries < 100 && alive(pid); tries++) await sleep(50);
  expect(alive(pid)).toBe(false);
});
