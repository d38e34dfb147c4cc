/** The live tail's connection: goes on where it was after a break, and says what may have been missed. */
import { asProblem, open, type Problem, queryOf } from "../api/client.ts";
import { createEventReader, type ServerEvent } from "../api/sse.ts";
import type { EventView } from "../explore/data.ts";

/** What comes: an event, or a place where some did not. */
export type Line =
  | { readonly kind: "event"; readonly event: EventView }
  | { readonly kind: "note"; readonly id: string; readonly text: string };

export interface ListenerCalls {
  readonly onLines: (lines: readonly Line[]) => void;
  readonly onState: (state: "connecting" | "live" | "away", problem?: Problem) => void;
  /** How many events were looked at since somebody listens. */
  readonly onLooked: (count: number) => void;
}

const firstPauseMs = 500;
const longestPauseMs = 8_000;

/** Faults that asking again will not mend. */
const isFinal = ({ status }: Problem): boolean => status >= 400 && status < 500 && status !== 429;

let notes = 0;
const note = (text: string): Line => ({ kind: "note", id: `note-${++notes}`, text });

const lineOf = ({ event, data }: ServerEvent): Line | undefined => {
  if (event === "message") return { kind: "event", event: JSON.parse(data) as EventView };
  const said = JSON.parse(data) as { count?: number; reason?: string };
  if (event === "skipped") {
    const why = said.reason === "rate" ? "more came than one tail shows" : "this page could not keep up";
    return note(`${(said.count ?? 0).toLocaleString("en")} events skipped: ${why}`);
  }
  return event === "gap" ? note(`Some events may be missing here: ${said.reason ?? "unknown"}`) : undefined;
};

/** Listens until it is stopped. */
export const listen = (q: string, calls: ListenerCalls): (() => void) => {
  const stop = new AbortController();
  let lastId = "";
  let pauseMs = firstPauseMs;

  const follow = async (): Promise<void> => {
    const body = await open(`/tail${queryOf({ q })}`, stop.signal, lastId === "" ? {} : { "last-event-id": lastId });
    const read = createEventReader();
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      const lines: Line[] = [];
      for (const one of read(decoder.decode(bytes, { stream: true }))) {
        if (one.id !== "") lastId = one.id;
        if (one.event === "open") {
          pauseMs = firstPauseMs;
          calls.onState("live");
        }
        if (one.event === "beat") calls.onLooked((JSON.parse(one.data) as { looked_at: number }).looked_at);
        const line = lineOf(one);
        if (line !== undefined) lines.push(line);
      }
      if (lines.length > 0) calls.onLines(lines);
    }
  };
  const keepOn = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      let problem: Problem | undefined;
      try {
        await follow();
      } catch (error) {
        problem = asProblem(error);
      }
      if (stop.signal.aborted) return;
      calls.onState("away", problem);
      if (problem !== undefined && isFinal(problem)) return;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  };
  calls.onState("connecting");
  void keepOn();
  return () => stop.abort();
};
