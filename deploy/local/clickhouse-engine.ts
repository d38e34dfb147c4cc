/**
 * The ClickHouse process: the engine out of chdb's library, told to open its own HTTP interface, so that any client of
 * a ClickHouse server works with it. Run as `node clickhouse-engine.ts DIR PORT`, by clickhouse.ts.
 *
 * The engine's one statement sleeps for ever; ending that statement is the orderly stop.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { DataType, load, open } from "ffi-rs";

const [dir = "", port = ""] = process.argv.slice(2);
const engine = `@chdb/lib-${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}`;
const locate = (): string => {
  try {
    return join(createRequire(import.meta.url).resolve(`${engine}/package.json`), "..", "libchdb.so");
  } catch {
    console.error(
      `There is no ClickHouse engine for this machine in node_modules (${engine}): use docker-compose.kafka.yml.`,
    );
    process.exit(1);
  }
};
const library = locate();
const listenAndSleep =
  "SYSTEM START LISTEN HTTP; SELECT sleepEachRow(1) FROM system.numbers SETTINGS max_block_size=1, max_threads=1 FORMAT Null";
const argv = [
  "clickhouse",
  `--path=${dir}`,
  `--config-file=${dir}/conf/config.xml`,
  "--log-level=information",
  "--query",
  listenAndSleep,
];

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  // It waits five seconds for idle keep-alive connections; nobody need, since what is acknowledged is on disk.
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 2_000);
  const password = readFileSync(join(dir, "conf", "stopper"), "utf8");
  fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    headers: { "X-ClickHouse-User": "stopper", "X-ClickHouse-Key": password },
    body: "KILL QUERY WHERE user IN ('', 'default') ASYNC",
  }).catch((error: unknown) => console.error(error));
};
process.on("SIGTERM", stop);
process.on("SIGINT", () => undefined);

open({ library: "chdb", path: library });
const result = await load({
  library: "chdb",
  funcName: "chdb_query_cmdline",
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
  runInNewThread: true,
});
const failure = {
  library: "chdb",
  funcName: "chdb_result_error",
  paramsType: [DataType.External],
  paramsValue: [result],
};
if (!stopping) {
  if (load({ ...failure, retType: DataType.U64 }) !== 0) console.error(load({ ...failure, retType: DataType.String }));
  process.exitCode = 1;
}
// The engine's threads are still there, but its data is closed.
process.kill(process.pid, "SIGKILL");
