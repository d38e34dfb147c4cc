/** What one event may be, through whichever door it comes. The doors' READMEs name each limit. */

/** One event as it was written, in bytes; as it is stored where it was not written as JSON. */
export const maxEventBytes = 1_048_576;
/** Attributes of one event after flattening. */
export const maxFields = 1_000;
/** Bytes of one attribute's dotted name. With maxFields it bounds how much flattening can add to an event. */
export const maxNameBytes = 512;
/** Nesting of one event: the event itself is 1. */
export const maxDepth = 64;
/** Nesting at which a body is taken for an attack and refused as a whole. */
export const refusedDepth = 1_024;
