/** Server-sent events. */
import type { Response } from "express";

/** Begins the answer; gives what sends one named event. */
export const openStream = (response: Response): ((event: string, data: unknown) => void) => {
  response.status(200);
  response.setHeader("Content-Type", "text/event-stream; charset=utf-8");
  response.setHeader("Cache-Control", "no-store");
  // Proxies that gather answers would keep what is meant to be seen at once.
  response.setHeader("X-Accel-Buffering", "no");
  response.flushHeaders();
  return (event, data) => void response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
};
