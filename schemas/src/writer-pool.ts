import { AvroWriter } from "./avro-bytes.ts";

/**
 * Writers whose memory is used again. A record is some hundred kilobytes for some milliseconds: made anew each time, that is
 * enough garbage to make collecting it a third of all work.
 */
export class WriterPool {
  private readonly idle: AvroWriter[] = [];
  private readonly most: number;
  private readonly mostBytes: number;
  private readonly leastBytes: number;

  /** Keeps up to `most` writers of up to `mostBytes` each. What is below `leastBytes` is made anew and never kept. */
  constructor(most: number, mostBytes: number, leastBytes = 0) {
    this.most = most;
    this.mostBytes = mostBytes;
    this.leastBytes = leastBytes;
  }

  take(bytes: number): AvroWriter {
    return (bytes < this.leastBytes ? undefined : this.idle.pop()) ?? new AvroWriter(bytes);
  }

  /** Only when nobody can still read what lies in it: for what was sent, when Kafka has confirmed it. */
  give(writer: AvroWriter): void {
    const { length } = writer.buffer;
    if (this.idle.length < this.most && length >= this.leastBytes && length <= this.mostBytes) this.idle.push(writer);
  }
}
