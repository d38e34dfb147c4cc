/** Everything that says what Explore shows, in the address: a copied address shows the same to whoever opens it. */
import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import type { Range } from "./time-range.ts";

/** What is shown of an open event. */
export const eventParts = ["fields", "json", "around", "trace", "receipt"] as const;
export type EventPart = (typeof eventParts)[number];

export interface ExploreState {
  readonly q: string;
  readonly range: Range;
  /** Id of a bucket that is searched; "": what Astralog keeps. */
  readonly place: string;
  /** Fields shown as columns of their own. */
  readonly pinned: readonly string[];
  /** The open event's id. */
  readonly event: string | undefined;
  readonly part: EventPart;
  readonly wrap: boolean;
  readonly utc: boolean;
}

const defaultFrom = "-1h";

export const readState = (parameters: URLSearchParams): ExploreState => ({
  q: parameters.get("q") ?? "",
  range: { from: parameters.get("from") ?? defaultFrom, to: parameters.get("to") ?? "" },
  place: parameters.get("place") ?? "",
  pinned: (parameters.get("pin") ?? "").split(",").filter(Boolean).map(decodeURIComponent),
  event: parameters.get("event") ?? undefined,
  part: eventParts.find((part) => part === parameters.get("show")) ?? "fields",
  wrap: parameters.get("wrap") === "1",
  utc: parameters.get("tz") === "utc",
});

export const writeState = (state: ExploreState): URLSearchParams => {
  const parameters = new URLSearchParams();
  if (state.q !== "") parameters.set("q", state.q);
  if (state.range.from !== defaultFrom) parameters.set("from", state.range.from);
  if (state.range.to !== "") parameters.set("to", state.range.to);
  if (state.place !== "") parameters.set("place", state.place);
  if (state.pinned.length > 0) parameters.set("pin", state.pinned.map(encodeURIComponent).join(","));
  if (state.event !== undefined) parameters.set("event", state.event);
  if (state.event !== undefined && state.part !== "fields") parameters.set("show", state.part);
  if (state.wrap) parameters.set("wrap", "1");
  if (state.utc) parameters.set("tz", "utc");
  return parameters;
};

export interface ExploreUrl {
  readonly state: ExploreState;
  /** A new step in the history for what is asked; opening an event or pinning replaces the step. */
  change(changes: Partial<ExploreState>): void;
}

export const useExploreState = (): ExploreUrl => {
  const [parameters, setParameters] = useSearchParams();
  const text = parameters.toString();
  const state = useMemo(() => readState(new URLSearchParams(text)), [text]);
  const change = useCallback(
    (changes: Partial<ExploreState>) => {
      const replace = changes.q === undefined && changes.range === undefined && changes.place === undefined;
      setParameters((before) => writeState({ ...readState(before), ...changes }), { replace });
    },
    [setParameters],
  );
  return { state, change };
};
