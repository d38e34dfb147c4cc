/**
 * What could not be redacted, sealed: AES-256-GCM under a random nonce, bound to the coordinates it lay at, so that it
 * cannot be passed off as another. Layout: nonce (12), ciphertext, tag (16).
 */
import { createCipheriv, randomBytes } from "node:crypto";
import { type DeadLetterReason, encodeRecord } from "@astralog/schemas";
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

const place = ({ topic, partition, offset }: Coordinates, index: number): string =>
  `${topic}/${partition}/${offset}/${index}`;

const seal = (key: Buffer, payload: Buffer, boundTo: string): Buffer => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(boundTo));
  return Buffer.concat([nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
};

/** Key and value for events.dead. */
export const deadLetter = (key: Buffer, schemaId: number, at: Coordinates, death: Death, now: number) => {
  const where = place(at, death.index);
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
      payload: seal(key, payload, where),
    }),
  };
};
