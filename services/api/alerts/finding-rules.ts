/** Which alert rules look at an event: those in force whose query finds it, by the same language as every search. */
import { Fault } from "@astralog/chassis";
import type { EventAt } from "@astralog/schemas";
import { type Rule, severities } from "@astralog/schemas/alerts/index";
import { conditionSql, createBinder, parseQuery } from "@astralog/schemas/query/index";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { withPostgres } from "../postgres.ts";
import { eventSql } from "../search/around.ts";
import { goneSignal, readEventId, scopeOf } from "../search/request.ts";
import type { Scope, Sql } from "../search/scope.ts";
import type { SearchDeps } from "../search/search-endpoints.ts";
import { definitionOf } from "./control-records.ts";
import type { RuleEndpointsDeps } from "./rule-endpoints.ts";
import { listRules } from "./rules.ts";

/** Rules that one statement asks for. */
const rulesAtOnce = 100;

const output = z.object({
  rules: z.array(
    z.object({
      ...{ id: z.string(), name: z.string(), severity: z.enum(severities) },
      judged: z.boolean().describe("The rule was in force, as it is now, when the event was received."),
    }),
  ),
  of: z.int().describe("Rules that are switched on."),
});

/** One row, if there is the event: when it was received, and of each rule whether its query finds it. */
const findingSql = (at: EventAt, scope: Scope, rules: readonly Rule[]): Sql => {
  const { params, bind } = createBinder("r");
  const finds = (text: string): string => {
    const query = parseQuery(text, { now: 0 });
    return query.type === "all" ? "1" : `toUInt8(${conditionSql(query, bind, scope.names)})`;
  };
  const columns = rules.map(({ when }) =>
    when.type === "ratio" ? `greatest(${finds(when.query)}, ${finds(when.of)})` : finds(when.query),
  );
  const event = eventSql(at, scope, `toString(toUnixTimestamp64Milli(received_at)), [${columns.join(", ")}]`);
  return { query: event.query, params: { ...event.params, ...params } };
};

export const createFindingEndpoints = (deps: SearchDeps & Pick<RuleEndpointsDeps, "db">): Endpoint[] => [
  endpoint({
    method: "get",
    path: "/events/:id/rules",
    access: "alerts.read",
    tag: "alerts",
    summary: "The alert rules that look at an event",
    success: { status: 200, body: output },
    handle: async ({ params, caller, response }) => {
      const at = readEventId(params.id);
      const rows = (await withPostgres(() => listRules(deps.db, caller.tenant))).filter(
        (row) => definitionOf(row).enabled,
      );
      const scope = scopeOf(caller, deps);
      const found: z.output<typeof output>["rules"] = [];
      for (let i = 0; i === 0 || i < rows.length; i += rulesAtOnce) {
        const some = rows.slice(i, i + rulesAtOnce);
        const answer = await deps.queries.forTenant<[received: string, finds: number[]]>(
          scope.tenant,
          findingSql(at, scope, some.map(definitionOf)),
          { name: "event_rules", seconds: deps.searchSeconds, signal: goneSignal(response) },
        );
        const [event] = answer.rows;
        if (event === undefined) throw new Fault("not_found", "There is no such event, or it is not stored yet.");
        for (const [n, row] of some.entries()) {
          const { id, name, severity } = definitionOf(row);
          if (event[1][n] === 1)
            found.push({ id, name, severity, judged: Number(event[0]) >= row.effective_from.getTime() });
        }
      }
      return { rules: found, of: rows.length };
    },
  }),
];
