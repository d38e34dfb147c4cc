/**
 * How fast Kafka users may write. kafkajs has no AlterClientQuotas (API 49), so the request is written here. A broker does
 * not refuse what exceeds a quota: it answers later and reads nothing more of that connection until then.
 */
import { callController } from "./kafka-controller.ts";

export interface WriteRate {
  readonly username: string;
  /** As they cross the wire, to each broker; 0 takes the quota away. */
  readonly bytesPerSecond: number;
}

export interface ClientQuotas {
  /** What is so already is no change to Kafka. Faults: `kafka_unavailable` (retriable), `kafka_refused`. */
  set(rates: readonly WriteRate[]): Promise<void>;
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};
const array = (items: readonly Buffer[]): Buffer => Buffer.concat([int32(items.length), ...items]);

const entryOf = ({ username, bytesPerSecond }: WriteRate): Buffer => {
  const remove = Buffer.from([bytesPerSecond > 0 ? 0 : 1]);
  return Buffer.concat([
    array([Buffer.concat([text("user"), text(username)])]),
    array([Buffer.concat([text("producer_byte_rate"), double(bytesPerSecond), remove])]),
  ]);
};

const readCodes = (bytes: Buffer): number[] => {
  // The throttle time comes first.
  let at = 4;
  const count = (): number => {
    at += 4;
    return bytes.readInt32BE(at - 4);
  };
  const skipText = (): void => {
    at += 2 + Math.max(0, bytes.readInt16BE(at));
  };
  return Array.from({ length: count() }, () => {
    const code = bytes.readInt16BE(at);
    at += 2;
    skipText();
    for (let left = count(); left > 0; left--) {
      skipText();
      skipText();
    }
    return code;
  });
};

const validateOnly = Buffer.from([0]);

export const createQuotas = (makeCluster: () => unknown): ClientQuotas => ({
  set: async (rates) => {
    if (rates.length === 0) return;
    const body = Buffer.concat([array(rates.map(entryOf)), validateOnly]);
    await callController(makeCluster, { apiKey: 49, apiName: "AlterClientQuotas", body, decode: readCodes });
  },
});
