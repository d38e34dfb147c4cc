/**
 * Prints events as they are acknowledged. After a broken connection it goes on behind the last one it printed; what may
 * be missing is said on standard error, never passed over.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type FoundEvent, withQuery } from "./api.ts";
import { waitBefore } from "./backoff.ts";
import type { Cli } from "./cli.ts";
import { eventLine } from "./event-line.ts";
import { PassingFailure } from "./failure.ts";
import { createSseReader } from "./sse.ts";
import { count, printable } from "./text.ts";

export const followTail = async (
  { terminal, api, stop }: Cli,
  q: string,
  { json, retry = true }: { json: boolean; retry?: boolean },
): Promise<void> => {
  const { out, err, outColors, errColors } = terminal();
  let lastId = "";
  let attempt = 0;

  const say = (event: string, data: string): void => {
    if (event === "message") {
      out(json ? `${data}\n` : `${eventLine(JSON.parse(data) as FoundEvent, outColors)}\n`);
      return;
    }
    const { count: missed = 0, reason = "" } = JSON.parse(data) as { count?: number; reason?: string };
    if (event === "skipped") err(errColors.yellow(`${count(missed)} events skipped: more came than could be shown\n`));
    if (event === "gap") err(errColors.yellow(`events may be missing here: ${printable(reason)}\n`));
  };
  const listen = async (): Promise<void> => {
    const read = createSseReader();
    await api().download(
      withQuery("tail", { q }),
      "query",
      (piece) => {
        attempt = 0;
        for (const { event, id, data } of read(piece)) {
          if (id !== "") lastId = id;
          say(event, data);
        }
        return undefined;
      },
      { accept: "text/event-stream", ...(lastId === "" ? {} : { "last-event-id": lastId }) },
    );
  };
  while (!stop().aborted) {
    try {
      await listen();
    } catch (error) {
      if (stop().aborted) return;
      if (!retry || !(error instanceof PassingFailure)) throw error;
      if (attempt === 0) err(errColors.dim(`${error.message.split("\n")[0]} Trying again.\n`));
    }
    attempt++;
    await sleep(waitBefore(attempt, undefined), undefined, { signal: stop() }).catch(() => undefined);
  }
};
