import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../fault.ts";
import { type CuttingProxy, startProxy } from "../proxy.ts";

/** R4: ClickHouse has stored the rows and the connection dies before it can say so, two hundred times. */
export const cutAnswers = (): Fault => {
  let proxy: CuttingProxy | undefined;
  return {
    id: "R4",
    title: "the answer to an insert is cut, two hundred times",
    rig: async (stack) => {
      const { hostname, port } = new URL(stack.clickhouse.url);
      const made = await startProxy({ host: hostname, port: Number(port) }, (request) => request.includes("INSERT"));
      proxy = made;
      return { env: { sink: { CLICKHOUSE_URL: `http://127.0.0.1:${made.port}` } }, close: made.close };
    },
    run: async ({ scaled, note, broken }) => {
      const wanted = Math.round(scaled(200, 12));
      const deadline = performance.now() + wanted * 6_000;
      proxy?.cut(wanted, 0.5);
      while ((proxy?.cuts ?? 0) < wanted && performance.now() < deadline) await sleep(100);
      note(`${proxy?.cuts ?? 0} answers cut`);
      if ((proxy?.cuts ?? 0) < wanted)
        broken(`only ${proxy?.cuts ?? 0} of ${wanted} answers could be cut: inserts came too seldom`);
    },
  };
};
