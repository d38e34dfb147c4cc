/** What retention has done, written for people to read: sweeps, and how far each deletion is. */
import type { PlaceName } from "@astralog/schemas/retention/index";
import type { ClickHouse } from "./clickhouse.ts";
import { type Swept, total } from "./places.ts";

export interface Step {
  readonly tenant: string;
  readonly deletion: string;
  readonly place: PlaceName;
  /** removing; waiting for the pipeline, or for a hold to end; done: a look after removal found nothing. */
  readonly state: "removing" | "waiting" | "held" | "done";
  readonly removed: number;
  readonly found: number;
  readonly detail: string;
}

const time = (at: number): string => new Date(at).toISOString().replace("T", " ").replace("Z", "");

export const createRecords = (clickhouse: ClickHouse) => ({
  swept: (sweep: string, place: string, swept: Swept, began: number): Promise<void> => {
    const shared = { sweep, place, began_at: time(began), ended_at: time(Date.now()) };
    const { looked, overdue, held, detail } = swept;
    return clickhouse.insert("sweeps", [
      { ...shared, tenant: "", looked, removed: total(swept.removed), overdue, held, detail },
      ...[...swept.removed].map(([tenant, removed]) => ({
        ...{ ...shared, tenant, looked: 0, removed, overdue: 0, held: 0, detail: "" },
      })),
    ]);
  },
  step: (step: Step): Promise<void> => clickhouse.insert("deletion_steps", [{ ...step, at: time(Date.now()) }]),
  /** Ids of deletions of which the last place is done. */
  finished: async (): Promise<Set<string>> => {
    const rows = await clickhouse.rows<{ deletion: string }>(
      "SELECT deletion FROM deletion_steps FINAL WHERE place = 'kafka' AND state = 'done'",
    );
    return new Set(rows.map(({ deletion }) => deletion));
  },
});

export type Records = ReturnType<typeof createRecords>;
