/** How far the archives of a tenant's buckets are, as whoever writes them says. */
import type { ArchiveStateRecord } from "@astralog/schemas";
import type { ArchiveState } from "@astralog/schemas/storage";
import { z } from "zod";

export const archiveStatusShape = z.object({
  connection: z.string(),
  state: z
    .enum(["off", "starting", "failing", "running"])
    .describe("off: nothing is written there; starting: nobody has said anything yet; failing: see problem."),
  lag: z.int().describe("Records of all organizations that are still to be looked through."),
  events: z.int().describe("Written since the connection was made."),
  objects: z.int(),
  bytes: z.int(),
  last_object_at: z.iso.datetime().nullable(),
  problem: z
    .object({ code: z.string(), detail: z.string(), since: z.iso.datetime() })
    .nullable()
    .describe("What keeps it from going on; it is tried again, and what is to be written waits in Kafka."),
});
export type ArchiveStatus = z.output<typeof archiveStatusShape>;

/** `states`: those of the connection, one for each partition. */
export const archiveStatus = (
  { id, archive }: { readonly id: string; readonly archive: boolean },
  states: readonly ArchiveState[],
): ArchiveStatus => {
  const sum = (of: (one: ArchiveState) => number): number => states.reduce((all, one) => all + of(one), 0);
  const written = states.flatMap(({ last_object_at: at }) => (at === null ? [] : [at])).sort();
  // The oldest trouble is where the rest comes from.
  const [problem = null] = states
    .flatMap((one) => (one.problem === null ? [] : [one.problem]))
    .sort((a, b) => (a.since < b.since ? -1 : 1));
  return {
    connection: id,
    state: !archive ? "off" : states.length === 0 ? "starting" : problem !== null ? "failing" : "running",
    lag: sum(({ lag }) => lag),
    events: sum(({ total }) => total.events),
    objects: sum(({ total }) => total.objects),
    bytes: sum(({ total }) => total.bytes),
    last_object_at: written.at(-1) ?? null,
    problem: archive ? problem : null,
  };
};

/** By connection, of one tenant. */
export const statesOf = (tenant: string, records: Iterable<ArchiveStateRecord>): Map<string, ArchiveState[]> => {
  const found = new Map<string, ArchiveState[]>();
  for (const { tenant: owner, connection, state } of records) {
    if (owner !== tenant) continue;
    const mine = found.get(connection) ?? [];
    mine.push(JSON.parse(state) as ArchiveState);
    found.set(connection, mine);
  }
  return found;
};
