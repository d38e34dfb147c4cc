/**
 * Sends a dead letter back to its own partition of events.raw, where it is redacted and stored like anything that
 * arrives. The payload is decrypted in memory only. Its dedup_id is made of the letter's coordinates, so the sink stores
 * it once however often it is sent.
 */
import { createDecipheriv } from "node:crypto";
import { Fault } from "@astralog/chassis";
import {
  BatchEncoder,
  type BatchHeader,
  emptyHeader,
  readBatchHeader,
  replaceBatchHeader,
  schemaIdOf,
} from "@astralog/schemas";

const nonceBytes = 12;
const tagBytes = 16;

export interface LetterPlace {
  /** As the letter names it: with the cluster's prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly index: number;
}

const placeText = ({ topic, partition, offset, index }: LetterPlace): string =>
  `${topic}/${partition}/${offset}/${index}`;

export const replayDedupId = (place: LetterPlace): string => `replay/${placeText(place)}`;

/** AES-256-GCM, bound to where the letter lay. Faults: `cannot_replay` with another key or changed bytes. */
export const openPayload = (key: Buffer, place: LetterPlace, sealed: Buffer): Buffer => {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(placeText(place)));
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)), decipher.final()]);
  } catch (error) {
    throw new Fault(
      "cannot_replay",
      "The payload cannot be decrypted: DEAD_LETTER_KEY is not the one it was sealed with.",
      {
        cause: error,
      },
    );
  }
};

/**
 * The value for events.raw. A whole record keeps its events' bytes under a header that says it is a replay; one that has
 * no readable header goes as it was, for a registry or a version that knows it by now.
 */
export const replayValue = (
  payload: Buffer,
  letter: LetterPlace & { readonly tenant: string; readonly source: string; readonly diedAt: number },
  schemaId: number,
): Buffer => {
  const dedup = { protocol: "replay", dedup_id: replayDedupId(letter) };
  if (letter.index >= 0) {
    const encoder = new BatchEncoder();
    encoder.appendEncoded(payload, 0, payload.length);
    const { tenant, source } = letter;
    return encoder.finish(schemaId, {
      ...emptyHeader,
      tenant,
      source,
      received_at: letter.diedAt,
      ...dedup,
      accepted: 1,
    });
  }
  const header = headerOf(payload);
  // The tenant that replays is the one the letter belongs to, and must stay so.
  if (header === undefined || header.tenant !== letter.tenant) return payload;
  const { eventsAt, ...rest } = header;
  const clean: BatchHeader = {
    ...rest,
    ...dedup,
    raw_topic: "",
    raw_partition: -1,
    raw_offset: -1,
    dropped: {},
    redactions: {},
    ruleset: "",
  };
  return replaceBatchHeader(payload, eventsAt, schemaIdOf(payload) ?? schemaId, clean);
};

const headerOf = (payload: Buffer) => {
  if (schemaIdOf(payload) === undefined) return undefined;
  try {
    return readBatchHeader(payload);
  } catch {
    return undefined;
  }
};
