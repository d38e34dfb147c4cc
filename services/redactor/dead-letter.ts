/** What could not be redacted, sealed for the coordinates it lay at, so that it cannot be passed off as another. */
import { sealBytes } from "@astralog/chassis";
import { type DeadLetterReason, encodeRecord, placeText } from "@astralog/schemas";
import type { Coordinates } from "./redact.ts";

export interface Death {
  tenant: string;
  source: string;
  /** Index of the event in its batch; -1 is the whole record. */
  index: number;
  reason: DeadLetterReason;
  /** For an operator; never a piece of the payload. */
  detail: string;
  payload: Buffer;
}

/** Key and value for events.dead. */
export const deadLetter = (key: Buffer, schemaId: number, at: Coordinates, death: Death, now: number) => {
  const where = placeText({ ...at, index: death.index });
  const { payload, ...rest } = death;
  return {
    key: where,
    value: encodeRecord("DeadLetter", schemaId, {
      ...rest,
      topic: at.topic,
      partition: at.partition,
      offset: BigInt(at.offset),
      died_at: BigInt(now),
      payload_bytes: payload.length,
      payload: sealBytes(key, payload, where),
    }),
  };
};
