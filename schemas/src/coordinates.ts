/**
 * Where an event lies: the Kafka coordinates that the receiver acknowledged. They are the event's identity through the
 * whole platform, so loss and duplication can be asked in SQL.
 *
 * As text: an event is `<partition>-<offset>-<index>`; with a topic other than events.raw in front, `topic:`. A
 * receipt lists records and how many events each took: `<partition>-<offset>x<count>`, joined by `~`.
 */
import { topics } from "./topics.ts";

export interface RecordAt {
  topic: string;
  partition: number;
  offset: number;
}

export interface EventAt extends RecordAt {
  /** Index of the event in its batch as accepted, from 0. */
  index: number;
}

export interface ReceiptPart extends RecordAt {
  /** Events accepted into the record. */
  count: number;
}

const raw = topics.raw.name;
const withTopic = (topic: string, rest: string): string => (topic === raw ? rest : `${topic}:${rest}`);

export const formatEventId = (at: EventAt): string => withTopic(at.topic, `${at.partition}-${at.offset}-${at.index}`);

const eventId = /^(?:([\w.-]{1,249}):)?(\d{1,6})-(\d{1,15})-(\d{1,9})$/;

/** undefined when the text is no event id. `topic` is given in the cluster's own words, without a prefix. */
export const parseEventId = (text: string): EventAt | undefined => {
  const match = eventId.exec(text);
  if (match === null) return undefined;
  return { topic: match[1] ?? raw, partition: Number(match[2]), offset: Number(match[3]), index: Number(match[4]) };
};

export const formatReceipt = (parts: readonly ReceiptPart[]): string =>
  parts.map((part) => withTopic(part.topic, `${part.partition}-${part.offset}x${part.count}`)).join("~");

const receiptPart = /^(?:([\w.-]{1,249}):)?(\d{1,6})-(\d{1,15})x(\d{1,9})$/;

/** undefined when the text is no receipt. */
export const parseReceipt = (text: string): ReceiptPart[] | undefined => {
  const parts: ReceiptPart[] = [];
  for (const piece of text.split("~")) {
    const match = receiptPart.exec(piece);
    if (match === null) return undefined;
    parts.push({
      topic: match[1] ?? raw,
      partition: Number(match[2]),
      offset: Number(match[3]),
      count: Number(match[4]),
    });
  }
  return parts;
};
