/**
 * What a protocol is to the receiver. The core does all that protocols share: keys, limits, reading, inflating, Kafka,
 * acknowledgement. A protocol turns a body into events and a result into its own words. One more is one more object
 * that meets this interface and one line in routes.ts.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { EventSink, Rejection } from "./event-parts.ts";
import type { Refusal } from "./refusals.ts";

/** A request without its body. */
export interface Head {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The media type in lower case without parameters; "" when none was sent. */
  readonly contentType: string;
  /** Given to the client in x-request-id and written to the log with every failure. */
  readonly requestId: string;
}

export interface Result {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
  /** Names the Kafka records that hold what was accepted; "" when nothing was. */
  readonly receipt: string;
  /** What would have been stored, when the request asked for a trial. */
  readonly preview?: readonly unknown[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface Protocol {
  /** Stands in EventBatch.protocol and as a label in metrics. */
  readonly name: string;
  /** A query parameter that may carry the key, for clients that cannot do otherwise. */
  readonly keyParameter?: string;
  /** Throws a Refusal when the head alone shows that the request cannot be taken. Runs before the body is read. */
  check(head: Head): void;
  /** Whether the request only wants to see what would be stored. */
  isTrial?(head: Head): boolean;
  /**
   * Gives each event of the body to `sink`, in order, or rejects it there. Throws a Refusal when the body as a whole
   * cannot be taken; nothing of it is stored then.
   */
  parse(body: Buffer, head: Head, sink: EventSink): void | Promise<void>;
  answer(result: Result, head: Head): Answer;
  error(refusal: Refusal, head: Head): Answer;
}
