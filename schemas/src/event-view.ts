/**
 * Events of a batch where they lie, one after the other: of each, only what is asked for is decoded. For whoever looks at
 * many events and finds most of them to be of no concern.
 */
import type { AvroReader } from "./avro-bytes.ts";
import type { Event } from "./event-batch.ts";

const texts = 6;

/** Names as they are asked for, as their bytes. */
const encoded = new Map<string, Buffer>();
const mostNames = 10_000;
const bytesOf = (name: string): Buffer => {
  let bytes = encoded.get(name);
  if (bytes === undefined) {
    if (encoded.size >= mostNames) encoded.clear();
    encoded.set(name, (bytes = Buffer.from(name)));
  }
  return bytes;
};

/** What it shows holds until it moves on. */
export class EventView implements Event {
  millis = 0;
  nanos = 0;
  level = 0;
  source = "";
  private readonly reader: AvroReader;
  /** Where the bytes of each text begin and end; the texts that were asked for. */
  private readonly spans = new Array<number>(texts * 2).fill(0);
  private readonly known = new Array<string | undefined>(texts).fill(undefined);
  /** The same of each attribute's name and value. */
  private readonly places: number[] = [];
  private attributeCount = 0;
  private list: string[] | undefined;

  /** `reader` stands at an event, or before the first is read. */
  constructor(reader: AvroReader) {
    this.reader = reader;
  }

  /** Takes the event that the reader stands at, and moves the reader behind it. Throws AvroError. */
  next(): void {
    const { reader, spans, known, places } = this;
    this.millis = reader.nanoseconds();
    this.nanos = reader.nanos;
    this.level = reader.long();
    for (let i = 0; i < texts; i++) {
      spans[i * 2] = reader.skipText();
      spans[i * 2 + 1] = reader.at;
      known[i] = undefined;
    }
    this.list = undefined;
    let count = 0;
    for (let block = reader.block(); block > 0; block = reader.block())
      for (let i = 0; i < block; i++, count++) {
        const place = count * 4;
        places[place] = reader.skipText();
        places[place + 1] = reader.at;
        places[place + 2] = reader.skipText();
        places[place + 3] = reader.at;
      }
    this.attributeCount = count;
  }

  get service(): string {
    return this.text(0);
  }
  get host(): string {
    return this.text(1);
  }
  get message(): string {
    return this.text(2);
  }
  get trace_id(): string {
    return this.text(3);
  }
  get span_id(): string {
    return this.text(4);
  }
  get attribute_types(): string {
    return this.text(5);
  }

  get attributes(): string[] {
    if (this.list !== undefined) return this.list;
    const { places, reader } = this;
    const list: string[] = [];
    for (let i = 0; i < this.attributeCount * 4; i += 2)
      list.push(reader.buffer.toString("utf8", places[i], places[i + 1]));
    this.list = list;
    return list;
  }

  /** The value of the first attribute of that name. */
  attribute(name: string): string | undefined {
    const { places, attributeCount } = this;
    const { buffer } = this.reader;
    const wanted = bytesOf(name);
    const { length } = wanted;
    for (let place = 0; place < attributeCount * 4; place += 4) {
      const start = places[place] as number;
      if ((places[place + 1] as number) - start !== length) continue;
      let i = 0;
      while (i < length && buffer[start + i] === wanted[i]) i++;
      if (i === length) return buffer.toString("utf8", places[place + 2], places[place + 3]);
    }
    return undefined;
  }

  private text(which: number): string {
    const { known, spans, reader } = this;
    let text = known[which];
    if (text === undefined)
      known[which] = text = reader.buffer.toString("utf8", spans[which * 2], spans[which * 2 + 1]);
    return text;
  }
}
