/** What the routes over events read from a request: who may see what, times, and whether somebody still waits. */
import { Fault } from "@astralog/chassis";
import { type EventAt, parseEventId } from "@astralog/schemas";
import { instantForms, parseInstant } from "@astralog/schemas/query/index";
import type { Response } from "express";
import type { Caller } from "../http/caller.ts";
import type { Scope } from "./scope.ts";

export interface Scoping {
  readonly topicPrefix: string;
  /** Source id to name, of one tenant. */
  sourceNames(tenant: string): ReadonlyMap<string, string>;
}

/** The one place where a caller becomes the condition that every query on events starts from. */
export const scopeOf = ({ tenant, sources }: Caller, { topicPrefix, sourceNames }: Scoping): Scope => ({
  tenant,
  sources,
  names: { sources: sourceNames(tenant) },
  topicPrefix,
});

export const readInstant = (name: "from" | "to" | "at", text: string | undefined, now: number): bigint | undefined => {
  if (text === undefined || text === "") return undefined;
  const found = parseInstant(text, now);
  if (found === undefined) throw new Fault("invalid_request", `${name}: is no time. ${instantForms}`);
  return found;
};

/** Faults: `invalid_request`. */
export const readEventId = (text: string): EventAt => {
  const at = parseEventId(text);
  if (at === undefined) throw new Fault("invalid_request", "An event id looks like 3-1742-0.");
  return at;
};

/** Aborts when the caller hangs up, so that the query ends in the server too. */
export const goneSignal = (response: Response): AbortSignal => {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return gone.signal;
};

/** A query's name in metrics. */
export const nameOf = (query: string, place: string | undefined): string =>
  place === undefined || place === "" ? query : `${query}_in_bucket`;
