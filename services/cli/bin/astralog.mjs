#!/usr/bin/env node
/**
 * The door: runs on any Node from 20 on. The command itself needs a Node that runs TypeScript (24 or newer); when this
 * one is older, the one that `npm start` fetched runs it, with the same streams, signals and exit code.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const needed = 24;

/** What `npm start` fetched and made, in the nearest folder above this file that has it. */
const findState = () => {
  for (let folder = dirname(main); ; folder = dirname(folder)) {
    const path = join(folder, ".astralog");
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) return undefined;
  }
};
const state = findState();
// What Node compiled before starts in half the time.
const compileCache = state === undefined ? undefined : join(state, "compile-cache");

if (Number.parseInt(process.versions.node, 10) >= needed) {
  if (compileCache !== undefined) module.enableCompileCache(compileCache);
  await import(pathToFileURL(main).href);
} else {
  const node = state === undefined ? "" : join(state, "tools", "node", "bin", "node");
  if (!existsSync(node)) {
    process.stderr.write(
      `astralog: this is Node ${process.versions.node} and Node ${needed} or newer is needed. ` +
        "Run `npm start` once, which fetches it, or install it.\n",
    );
    process.exit(1);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
    process.on(signal, () => {
      // A Ctrl-C in a terminal goes to the whole group: the child has it already.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`astralog: ${node} cannot be run: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
