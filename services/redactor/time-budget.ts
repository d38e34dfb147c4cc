/**
 * Redaction is linear in the text, but not equally fast on all of it, and it does not pause: a record made to be slow
 * must not cost the process its place in the group. What runs out of time fails, and so dies instead of passing.
 */
export class OutOfTime extends Error {
  override readonly name = "OutOfTime";
}

let deadline = Number.POSITIVE_INFINITY;

/** Runs `work`, in which checkTime() throws once `ms` are over. Not nested. */
export const withinTime = <T>(ms: number, work: () => T): T => {
  deadline = performance.now() + ms;
  try {
    return work();
  } finally {
    deadline = Number.POSITIVE_INFINITY;
  }
};

/** Throws OutOfTime. Called once per detector and per name, so nothing between two calls may be long. */
export const checkTime = (): void => {
  if (performance.now() > deadline) throw new OutOfTime("redaction took too long");
};
