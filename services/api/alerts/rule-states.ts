/** How each rule stands: what its open incidents say, and whether its windows wait for data. */
import { sql } from "kysely";
import { z } from "zod";
import type { Db } from "../postgres.ts";
import { definitionOf, type RuleRow } from "./control-records.ts";

/** Of a rule's open incidents the first of these is the rule's. */
const worstFirst = ["errored", "firing", "nodata", "pending"] as const;
/** A mark that is older tells nothing of today. */
const markMs = 86_400_000;

export const standingShape = z.object({
  state: z.enum(["off", "ok", ...worstFirst]).describe("The worst of its open incidents."),
  open: z.int().describe("Its open incidents."),
  incomplete: z
    .object({ window_to: z.iso.datetime(), completeness: z.number(), judged_at: z.iso.datetime() })
    .nullable()
    .describe("Its last window, within a day, that was not complete after its grace; it is judged once it is."),
});
export type Standing = z.output<typeof standingShape>;

/** Of a tenant's rules, by id. */
export const standings = async (db: Db, rows: readonly RuleRow[]): Promise<ReadonlyMap<string, Standing>> => {
  const [tenant] = rows.map((row) => row.tenant);
  if (tenant === undefined) return new Map();
  const open = await db
    .selectFrom("alert_incidents")
    .select(({ fn }) => ["rule", "state", fn.countAll<string>().as("n")])
    .where("tenant", "=", tenant)
    .where("closed", "=", false)
    .groupBy(["rule", "state"])
    .execute();
  // What belongs to no incident is a mark.
  const { rows: marks } = await sql<{
    rule: string;
    version: number;
    window_to: string;
    completeness: number;
    at: Date;
  }>`
    select distinct on (body->>'rule') body->>'rule' as rule, (body->>'rule_version')::int as version,
      body->>'window_to' as window_to, (body->>'completeness')::float8 as completeness, at
    from alert_changes where tenant = ${tenant} and incident = '' and at > ${new Date(Date.now() - markMs)}
    order by body->>'rule', at desc`.execute(db);
  return new Map(
    rows.map((row): [string, Standing] => {
      const mine = open.filter(({ rule }) => rule === row.id);
      const mark = marks.find(({ rule, version }) => rule === row.id && version === row.version);
      const worst = worstFirst.find((state) => mine.some((one) => one.state === state));
      return [
        row.id,
        {
          state: definitionOf(row).enabled ? (worst ?? "ok") : "off",
          open: mine.reduce((sum, { n }) => sum + Number(n), 0),
          incomplete:
            mark === undefined
              ? null
              : {
                  ...{ window_to: new Date(Number(mark.window_to)).toISOString(), completeness: mark.completeness },
                  judged_at: mark.at.toISOString(),
                },
        },
      ];
    }),
  );
};
