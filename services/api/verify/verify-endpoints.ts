import { Fault } from "@astralog/chassis";
import { instantForms, parseInstant } from "@astralog/schemas/query/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { mustCover } from "../organizations/grants.ts";
import type { Window } from "./ledger-queries.ts";
import type { createVerify } from "./verify-run.ts";

const input = z.strictObject({
  from: z.string().optional(),
  to: z.string().optional(),
  /** Seconds to wait for what is on its way. */
  wait: z.coerce.number().min(0).max(120).default(0),
});

/** Whole minutes, as the ledger sums. */
const windowOf = (from: string | undefined, to: string | undefined): Window | undefined => {
  if (from === undefined && to === undefined) return undefined;
  const now = Date.now();
  const minute = (name: string, text: string | undefined, otherwise: number): number => {
    const found = text === undefined ? BigInt(otherwise) * 1_000_000n : parseInstant(text, now);
    if (found === undefined) throw new Fault("invalid_request", `${name}: is no time. ${instantForms}`);
    return Number(found / 60_000_000_000n) * 60;
  };
  return { from: minute("from", from, 0), to: minute("to", to, now + 60_000) };
};

const wrong = z.looseObject({ record: z.string().optional() });
const verification = z.looseObject({
  ok: z.boolean().describe("No gap, no duplicate, no mismatch."),
  accepted: z.int(),
  stored: z.int(),
  dropped: z.record(z.string(), z.number()),
  removed: z
    .object({ expired: z.int(), deleted: z.int() })
    .describe("Of what was stored: gone since, as its time was over or as somebody had it deleted."),
  elsewhere: z
    .looseObject({ connection: z.string(), stored: z.int(), waiting: z.int(), wrong: z.int() })
    .nullable()
    .describe("Of events that are kept on a ClickHouse of one's own alone: what its ledger says. Null without any."),
  gaps: z.array(z.looseObject({ partition: z.int(), from: z.number(), to: z.number() })),
  duplicates: z.array(wrong),
  mismatches: z.array(wrong),
  sources: z.array(z.looseObject({})),
  lag: z.looseObject({ records: z.number() }).describe("What is still on its way."),
  truncated: z.boolean(),
  ms: z.int(),
});

export const createVerifyEndpoints = (deps: {
  verify: ReturnType<typeof createVerify>;
  audit: Pick<Audit, "note">;
  sourceNames(tenant: string): ReadonlyMap<string, string>;
}): Endpoint[] => [
  endpoint({
    ...{ method: "get", path: "/verify", access: "verify.run", tag: "verify" },
    summary: "Prove that what was accepted is stored",
    query: input,
    success: { status: 200, body: verification },
    handle: ({ query, caller, response }) => {
      // Gaps lie between offsets, which sources share: there is no verdict on some of them.
      mustCover(caller, { sources: "all" }, "verify");
      // Counted: the command asks again and again until all has settled.
      deps.audit.note(response, { action: "verify.run", target: { kind: "ledger", id: "" } });
      const { from, to, wait } = query;
      const names = deps.sourceNames(caller.tenant);
      return deps.verify(caller.tenant, { window: windowOf(from, to), waitMs: wait * 1000, names });
    },
  }),
];
