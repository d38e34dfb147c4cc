/**
 * Where an event lies in time for rules. Both times are the event's own and are stored with it, so that whoever looks at
 * the same events, live or a year later, in whatever order, counts the same ones.
 */

/** An event cannot have happened after it was received. Milliseconds. */
export const eventTime = (millis: number, receivedAt: number): number => Math.min(millis, receivedAt);

/** The begin of the pane that an instant lies in. */
export const paneOf = (at: number, pane: number): number => Math.floor(at / pane) * pane;

/** An event counts for its pane when it was received before the pane's end and `lateness`. */
export const inTime = (receivedAt: number, pane: number, every: number, lateness: number): boolean =>
  receivedAt < pane + every + lateness;
