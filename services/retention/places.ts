/**
 * A place is somewhere that events are: each can look for what is past its time and remove it, and for what a deletion is
 * about. To be swept and deleted from, a new kind of storage only has to be one more of these.
 */
import type { Deletion, PlaceName, TenantPolicy } from "@astralog/schemas/retention/index";

export interface Policies {
  /** Undefined for a tenant that is not known. */
  of(tenant: string): TenantPolicy | undefined;
  /** Of everybody. */
  all(): readonly TenantPolicy[];
}

export interface Swept {
  /** Events, letters or records that were looked at. */
  readonly looked: number;
  /** By tenant. */
  readonly removed: ReadonlyMap<string, number>;
  /** Past its time, and still there after removal. */
  readonly overdue: number;
  /** Past its time, and kept by a hold. */
  readonly held: number;
  readonly detail: string;
}

/** Where fields go before their events do: `removed` counts events that lost some, `overdue` those that still have one. */
export interface FieldsPlace {
  /** What sweeps write it down under. */
  readonly name: "event_fields" | "bucket_fields";
  sweep(policies: Policies, now: number): Promise<Swept>;
}

export interface Rescanned {
  readonly found: number;
  readonly removed: number;
  readonly detail: string;
  /** It could not be looked through to its end, as `detail` says: so whether something is there is not known. */
  readonly unknown?: boolean;
}

export interface Place {
  readonly name: PlaceName;
  /** Removes what is past its time on the day of `now`, milliseconds, and looks again. */
  sweep(policies: Policies, now: number): Promise<Swept>;
  /** Removes what is there now. Being cut and called again removes the rest and counts nothing twice. */
  remove(deletion: Deletion): Promise<void>;
  /** How much of the deletion's scope is there, looked up anew, and how much was removed in all. */
  rescan(deletion: Deletion): Promise<Rescanned>;
}

/** What removals of expired events are written down under. */
export const expiredRemoval = (day: string): string => `expired:${day}`;

/** A letter is no event: what was removed of them is written down apart. */
export const deadRemoval = (removal: string): string => `dead:${removal}`;

/** Nor is an event that goes from a bucket gone from the table. */
export const bucketRemoval = (removal: string): string => `bucket:${removal}`;

/** Nor one that goes from a server of its tenant's. */
export const ownRemoval = (removal: string): string => `own:${removal}`;

export const addTo = (counts: Map<string, number>, tenant: string, more: number): void => {
  if (more > 0) counts.set(tenant, (counts.get(tenant) ?? 0) + more);
};

export const total = (counts: ReadonlyMap<unknown, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
