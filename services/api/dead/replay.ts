/**
 * Sends a dead letter back to its own partition of events.raw, where it is redacted and stored like anything that
 * arrives. The payload is decrypted in memory only. Its dedup_id is made of the letter's coordinates, so the sink stores
 * it once however often it is sent.
 *
 * What a native producer wrote never was an event of ours: it goes back to its own topic, still sealed, and the redactor
 * opens it there and reads it anew.
 */
import { Fault, openBytes } from "@astralog/chassis";
import {
  BatchEncoder,
  type BatchHeader,
  emptyHeader,
  type LetterPlace,
  nativeTopic,
  placeText,
  readBatchHeader,
  replaceBatchHeader,
  replayDedupId,
  schemaIdOf,
  wrapReplay,
} from "@astralog/schemas";

/** Bound to where the letter lay. Faults: `cannot_replay` with another key or changed bytes. */
export const openPayload = (key: Buffer, place: LetterPlace, sealed: Buffer): Buffer => {
  try {
    return openBytes(key, sealed, placeText(place));
  } catch (error) {
    throw new Fault(
      "cannot_replay",
      "The payload cannot be decrypted: DEAD_LETTER_KEY is not the one it was sealed with.",
      { cause: error },
    );
  }
};

/** What Kafka puts around a record, at most. */
const framing = 512;
const mostNativeBytes = nativeTopic("", 1).maxMessageBytes - framing;

/** The value for its native topic. Faults: `cannot_replay`. */
export const nativeReplay = (key: Buffer, place: LetterPlace, sealed: Buffer): Buffer => {
  openPayload(key, place, sealed);
  const value = wrapReplay(placeText(place), sealed);
  if (value.length > mostNativeBytes)
    throw new Fault("cannot_replay", "The record is as large as its topic takes, and does not fit in a second time.");
  return value;
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
  const dedup = { protocol: "replay", dedup_id: replayDedupId(placeText(letter)) };
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
