/** Requests of Kafka's protocol that kafkajs does not have, sent to the controller over a connection of its cluster. */
import { Fault } from "./fault.ts";
import { kafkaEncoder } from "./kafka-encoder.ts";

/** kafkajs' own cluster, as far as this touches it. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findControllerBroker(): Promise<{ connectionPool: { send(call: unknown): Promise<number[]> } }>;
}

export interface ControllerCall {
  readonly apiKey: number;
  readonly apiName: string;
  /** Version 0 of the request; a flexible one begins with the tags of its header. */
  readonly body: Buffer;
  /** The answer's error codes, one for each thing that was asked. */
  decode(answer: Buffer): number[];
}

/** What a later try may not meet any more. */
const passing = new Set([-1, 3, 5, 7, 13, 41, 60, 89]);

/** `tolerated` are codes that are as good as none. Faults: `kafka_unavailable` (retriable), `kafka_refused`. */
export const callController = async (
  makeCluster: () => unknown,
  { apiKey, apiName, body, decode }: ControllerCall,
  tolerated: readonly number[] = [],
): Promise<void> => {
  const cluster = makeCluster() as Cluster;
  let codes: number[];
  try {
    await cluster.connect();
    await cluster.refreshMetadata();
    const broker = await cluster.findControllerBroker();
    const encoder = kafkaEncoder();
    codes = await broker.connectionPool.send({
      request: {
        ...{ apiKey, apiName, apiVersion: 0 },
        encode: async () => {
          const request = new encoder();
          request.writeBufferInternal(body);
          return request;
        },
      },
      response: { decode: async (bytes: Buffer) => decode(bytes), parse: async (found: number[]) => found },
    });
  } catch (error) {
    throw new Fault("kafka_unavailable", `Kafka did not take the change (${apiName}).`, {
      retriable: true,
      cause: error,
    });
  } finally {
    await cluster.disconnect().catch(() => undefined);
  }
  const code = codes.find((one) => one !== 0 && !tolerated.includes(one));
  if (code !== undefined)
    throw new Fault("kafka_refused", `Kafka refused the change (${apiName}): code ${code}.`, {
      retriable: passing.has(code),
    });
};
