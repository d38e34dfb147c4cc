/** What the redactor took out of an event, as its markers say: `[redacted:payment_card]` stands where the secret stood. */
import { type EventView, textOf } from "./data.ts";

export interface Redaction {
  readonly field: string;
  readonly detector: string;
  readonly count: number;
}

const marker = /\[redacted:([a-z0-9_]+)\]/g;

/** By field, in the order in which the event shows them. A name may have been a secret, too. */
export const redactionsOf = (event: EventView): Redaction[] => {
  const places: [field: string, text: string][] = [
    ["message", event.message],
    ["service", event.service],
    ["host", event.host],
    ...Object.entries(event.attributes).map(([name, value]): [string, string] => [name, `${name}\n${textOf(value)}`]),
  ];
  return places.flatMap(([field, text]) => {
    const counts = new Map<string, number>();
    for (const [, detector = ""] of text.matchAll(marker)) counts.set(detector, (counts.get(detector) ?? 0) + 1);
    return [...counts].map(([detector, count]) => ({ field, detector, count }));
  });
};

export const detectorWords = (detector: string): string => detector.replaceAll("_", " ");

export interface Piece {
  readonly text: string;
  readonly detector: string | undefined;
  readonly at: number;
}

/** A text in pieces: what was sent, and what stands for a secret. */
export const piecesOf = (text: string): Piece[] => {
  const pieces: Piece[] = [];
  let from = 0;
  const add = (end: number): void => {
    if (end > from) pieces.push({ text: text.slice(from, end), detector: undefined, at: from });
  };
  for (const match of text.matchAll(marker)) {
    add(match.index);
    pieces.push({ text: match[0], detector: match[1], at: match.index });
    from = match.index + match[0].length;
  }
  add(text.length);
  return pieces;
};
