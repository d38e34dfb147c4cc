/** Nobody gives, changes or takes away more than he has himself: neither permissions nor sources. */
import { Fault } from "@astralog/chassis";
import type { Permission } from "@astralog/schemas";
import type { Caller } from "../http/caller.ts";
import type { Sources } from "./effective.ts";

export type Giver = Pick<Caller, "grants" | "sources">;

/** Whether `have` contains `wanted`. */
export const covers = (have: Sources, wanted: Sources): boolean =>
  have === "all" || (wanted !== "all" && [...wanted].every((id) => have.has(id)));

/** Faults: `forbidden`, naming what is missing. `what` ends the sentence "… is needed to". */
export const mustCover = (
  giver: Giver,
  wanted: { readonly permissions?: ReadonlySet<Permission>; readonly sources?: Sources },
  what: string,
): void => {
  const missing = [...(wanted.permissions ?? [])].filter((one) => !giver.grants.has(one));
  if (missing.length > 0) throw new Fault("forbidden", `To ${what}, you need what it gives: ${missing.join(", ")}.`);
  if (wanted.sources !== undefined && !covers(giver.sources, wanted.sources))
    throw new Fault("forbidden", `To ${what}, you need to see its sources yourself.`);
};
