import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Fault } from "../fault.ts";
import { createLoader } from "../load.ts";

/** R22: the same batch under the same Idempotency-Key fifty times at once is stored once. */
export const sameKey: Fault = {
  id: "R22",
  title: "the same Idempotency-Key, fifty at once",
  run: async ({ pipeline, ledger, source, scaled, note, broken }) => {
    const loader = createLoader(pipeline.target(), 50);
    let seq = 1_000_000_000;
    let answers = 0;
    for (let round = 0; round < scaled(20, 4); round++) {
      const seqs = Array.from({ length: 10 }, () => seq++);
      const lines = seqs.map((each) => {
        const message = `once and only once ${each}`;
        ledger.sent(source, each, message);
        return JSON.stringify({ message, seq: each, service: "chaos" });
      });
      const body = gzipSync(lines.join("\n"));
      const key = randomUUID();
      const statuses = await Promise.all(
        Array.from({ length: 50 }, () =>
          loader.post(body, { "idempotency-key": key }).then(
            ({ status }) => status,
            () => 0,
          ),
        ),
      );
      answers += statuses.length;
      if (statuses.some((status) => status === 200 || status === 202)) ledger.acked(source, seqs);
      const odd = statuses.filter((status) => status !== 200 && status !== 202);
      if (odd.length > 0) broken(`${odd.length} of 50 repeats were answered ${[...new Set(odd)].join(", ")}`);
    }
    loader.close();
    note(`${answers} requests for ${answers / 50} batches`);
  },
};
