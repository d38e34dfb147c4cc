/**
 * The memory that requests may hold together, from their first byte to their acknowledgement. Whoever would exceed it
 * is asked to come again, so a slow Kafka or a flood fills this and not the heap.
 */
import { Refusal } from "./refusals.ts";

export interface Lease {
  /** Changes what this request holds to `bytes`. Throws a Refusal when there is no room for more. */
  hold(bytes: number): void;
  readonly held: number;
  release(): void;
}

export interface InFlight {
  lease(): Lease;
  readonly bytes: number;
  readonly requests: number;
}

export const createInFlight = (maxBytes: number): InFlight => {
  let bytes = 0;
  let requests = 0;
  return {
    lease: () => {
      if (bytes >= maxBytes) throw new Refusal("overloaded", "The receiver holds all it can hold. Try again.");
      let held = 0;
      let released = false;
      requests++;
      return {
        hold: (wanted) => {
          if (released) return;
          // What is held may always shrink.
          if (wanted > held && bytes + wanted - held > maxBytes)
            throw new Refusal("overloaded", "The receiver holds all it can hold. Try again.");
          bytes += wanted - held;
          held = wanted;
        },
        get held() {
          return held;
        },
        release: () => {
          if (released) return;
          released = true;
          bytes -= held;
          requests--;
        },
      };
    },
    get bytes() {
      return bytes;
    },
    get requests() {
      return requests;
    },
  };
};
