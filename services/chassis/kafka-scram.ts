/**
 * SCRAM credentials of Kafka users. kafkajs has no AlterUserScramCredentials (API 51, since Kafka 2.7), so the request is
 * written here and sent over a connection of its cluster. The broker is given the salted password only, as the protocol
 * has it; the password itself does not leave this process.
 */
import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { Fault } from "./fault.ts";
import { kafkaEncoder } from "./kafka-encoder.ts";

/** kafkajs' own cluster, as far as this touches it. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findControllerBroker(): Promise<{ connectionPool: { send(call: unknown): Promise<Answer[]> } }>;
}

interface Answer {
  user: string;
  code: number;
}

export interface ScramCredentials {
  /** Makes the user, or gives him another password. Faults: `kafka_unavailable` (retriable), `kafka_refused`. */
  set(user: string, password: string): Promise<void>;
  /** Whoever is gone already stays gone. Faults as above. Connections that are open stay open: take away the rights, too. */
  remove(user: string): Promise<void>;
}

const apiKey = 51;
/** SCRAM-SHA-256 by its number. */
const mechanism = 1;
/** The least that Kafka takes: what is salted here is random already, and each connection of a client pays for it. */
const iterations = 4_096;
const resourceNotFound = 91;
/** What a later try may not meet any more. */
const passing = new Set([-1, 3, 5, 7, 13, 41, 60, 89]);

const derive = promisify(pbkdf2);

// The flexible encoding: lengths are one more than they are, and each structure ends with its number of tags.
const noTags = Buffer.from([0]);
const uvarint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
};
const compact = (bytes: Buffer): Buffer => Buffer.concat([uvarint(bytes.length + 1), bytes]);
const compactArray = (items: readonly Buffer[]): Buffer => Buffer.concat([uvarint(items.length + 1), ...items]);
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const readAnswers = (bytes: Buffer): Answer[] => {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const text = (): string => {
    const length = varint() - 1;
    at += Math.max(0, length);
    return length < 0 ? "" : bytes.toString("utf8", at - length, at);
  };
  const tags = (): void => {
    for (let left = varint(); left > 0; left--) {
      varint();
      at += varint();
    }
  };
  tags();
  at += 4;
  return Array.from({ length: varint() - 1 }, () => {
    const user = text();
    const code = bytes.readInt16BE(at);
    at += 2;
    text();
    tags();
    return { user, code };
  });
};

export const createScram = (makeCluster: () => unknown): ScramCredentials => {
  const call = async (deletions: readonly Buffer[], upsertions: readonly Buffer[]): Promise<number> => {
    const cluster = makeCluster() as Cluster;
    try {
      await cluster.connect();
      await cluster.refreshMetadata();
      const broker = await cluster.findControllerBroker();
      const body = Buffer.concat([noTags, compactArray(deletions), compactArray(upsertions), noTags]);
      const encoder = kafkaEncoder();
      const answers = await broker.connectionPool.send({
        request: {
          apiKey,
          apiVersion: 0,
          apiName: "AlterUserScramCredentials",
          encode: async () => {
            const request = new encoder();
            request.writeBufferInternal(body);
            return request;
          },
        },
        response: { decode: async (bytes: Buffer) => readAnswers(bytes), parse: async (found: Answer[]) => found },
      });
      return answers.find(({ code }) => code !== 0)?.code ?? 0;
    } catch (error) {
      throw new Fault("kafka_unavailable", "Kafka did not take the change of its users.", {
        retriable: true,
        cause: error,
      });
    } finally {
      await cluster.disconnect().catch(() => undefined);
    }
  };
  const check = (code: number): void => {
    if (code !== 0)
      throw new Fault("kafka_refused", `Kafka refused to change its users: code ${code}.`, {
        retriable: passing.has(code),
      });
  };

  return {
    set: async (user, password) => {
      const salt = randomBytes(24);
      const salted = await derive(password, salt, iterations, 32, "sha256");
      const upsertion = [
        compact(Buffer.from(user)),
        Buffer.from([mechanism]),
        int32(iterations),
        compact(salt),
        compact(salted),
        noTags,
      ];
      check(await call([], [Buffer.concat(upsertion)]));
    },
    remove: async (user) => {
      const deletion = [compact(Buffer.from(user)), Buffer.from([mechanism]), noTags];
      const code = await call([Buffer.concat(deletion)], []);
      if (code !== resourceNotFound) check(code);
    },
  };
};
