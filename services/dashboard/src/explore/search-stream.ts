/** A search that says how far it is: one stretch of time after the other, newest first. */
import { open, Problem } from "../api/client.ts";
import { createEventReader } from "../api/sse.ts";
import type { EventView, SearchPage, Stats } from "./data.ts";

export interface Progress {
  readonly stats: Stats;
  /** RFC 3339: everything is known back to there. */
  readonly searchedFrom: string;
  readonly events: number;
}

interface Said {
  readonly events?: readonly EventView[];
  readonly searched_from?: string | null;
  readonly stats?: Stats;
  readonly next?: string | null;
  readonly code?: string;
  readonly detail?: string;
}

/** One page, whole; `onProgress` hears of each stretch until then, and undefined at the end. Throws Problem. */
export const searchStream = async (
  path: string,
  signal: AbortSignal,
  onProgress: (progress: Progress | undefined) => void,
): Promise<SearchPage> => {
  const events: EventView[] = [];
  const read = createEventReader();
  const decoder = new TextDecoder();
  try {
    for await (const bytes of await open(path, signal)) {
      for (const { event, data } of read(decoder.decode(bytes, { stream: true }))) {
        const said = JSON.parse(data) as Said;
        if (event === "events") events.push(...(said.events ?? []));
        if (event === "progress" && said.stats !== undefined && said.searched_from != null)
          onProgress({ stats: said.stats, searchedFrom: said.searched_from, events: events.length });
        if (event === "problem")
          throw new Problem({ code: said.code ?? "unreadable", status: 422, message: said.detail ?? "" });
        if (event === "done" && said.stats !== undefined) return { events, next: said.next ?? null, stats: said.stats };
      }
    }
  } finally {
    onProgress(undefined);
  }
  throw new Problem({ code: "unreachable", status: 0, message: "The answer was cut before its end. Try again." });
};

/** The part of the window that is searched, 0 to 1; both ends in milliseconds. */
export const shareDone = ({ searchedFrom }: Progress, from: number, to: number): number =>
  Math.max(0, Math.min(1, (to - Date.parse(searchedFrom)) / (to - from)));
