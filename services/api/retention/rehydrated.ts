/** Until when an event is here that was brought back from a bucket: its day of expiry is none, but says which one brought it. */
import type { ControlTable } from "@astralog/chassis";
import type { RehydrationRecord } from "@astralog/schemas";
import { readRehydration, slotOfPartition } from "@astralog/schemas/retention/index";

/** The day on which an event is removed, from that of its row; both YYYY-MM-DD. */
export const untilOf =
  (rehydrations: Pick<ControlTable<RehydrationRecord>, "values">) =>
  (tenant: string, expiresOn: string): string => {
    const slot = slotOfPartition(Date.parse(expiresOn) / 86_400_000);
    if (slot === undefined) return expiresOn;
    const mine = [...rehydrations.values()].filter((record) => record.tenant === tenant).map(readRehydration);
    // One that has ended is being removed.
    const until = mine.find((one) => one.slot === slot)?.until ?? new Date().toISOString().slice(0, 10);
    return new Date(Date.parse(until) + 86_400_000).toISOString().slice(0, 10);
  };
