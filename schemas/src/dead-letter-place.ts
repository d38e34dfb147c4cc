/**
 * Where a dead letter lay, as text. Its payload is sealed for that place, and its replay is known by it: so nobody passes
 * one off as another, and one that is sent back often is stored once.
 */

export interface LetterPlace {
  /** As the cluster names it, with its prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | bigint | string;
  /** Of the event in its record; -1 is the whole record. */
  readonly index: number;
}

export const placeText = ({ topic, partition, offset, index }: LetterPlace): string =>
  `${topic}/${partition}/${offset}/${index}`;

export const replayDedupId = (place: string): string => `replay/${place}`;

/** Neither the Confluent format's first byte nor one that JSON may begin with. */
const marker = 1;

/**
 * A letter on its way back to its native topic: still sealed, so only who has the key can have sent it, and the topic holds
 * nothing that its producer had not put there.
 */
export const wrapReplay = (place: string, sealed: Buffer): Buffer => {
  const text = Buffer.from(place);
  const head = Buffer.alloc(3);
  head.writeUInt8(marker, 0);
  head.writeUInt16BE(text.length, 1);
  return Buffer.concat([head, text, sealed]);
};

/** Undefined for what does not look like one. */
export const unwrapReplay = (value: Buffer): { readonly place: string; readonly sealed: Buffer } | undefined => {
  if (value.length < 3 || value.readUInt8(0) !== marker) return undefined;
  const end = 3 + value.readUInt16BE(1);
  return value.length <= end ? undefined : { place: value.toString("utf8", 3, end), sealed: value.subarray(end) };
};
