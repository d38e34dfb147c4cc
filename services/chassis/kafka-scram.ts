/**
 * SCRAM credentials of Kafka users. kafkajs has no AlterUserScramCredentials (API 51, since Kafka 2.7), so the request is
 * written here. The broker is given the salted password only, as the protocol has it; the password itself does not leave
 * this process.
 */
import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { callController } from "./kafka-controller.ts";

export interface ScramCredentials {
  /** Makes the user, or gives him another password. Faults: `kafka_unavailable` (retriable), `kafka_refused`. */
  set(user: string, password: string): Promise<void>;
  /** Whoever is gone already stays gone. Faults as above. Connections that are open stay open: take away the rights, too. */
  remove(user: string): Promise<void>;
}

/** SCRAM-SHA-256 by its number. */
const mechanism = 1;
/** The least that Kafka takes: what is salted here is random already, and each connection of a client pays for it. */
const iterations = 4_096;
const resourceNotFound = 91;

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

const readCodes = (bytes: Buffer): number[] => {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const skip = (count: number): void => {
    at += Math.max(0, count);
  };
  const skipText = (): void => skip(varint() - 1);
  const skipTags = (): void => {
    for (let left = varint(); left > 0; left--) {
      varint();
      skip(varint());
    }
  };
  skipTags();
  at += 4;
  return Array.from({ length: varint() - 1 }, () => {
    skipText();
    const code = bytes.readInt16BE(at);
    at += 2;
    skipText();
    skipTags();
    return code;
  });
};

export const createScram = (makeCluster: () => unknown): ScramCredentials => {
  const alter = (deletions: readonly Buffer[], upsertions: readonly Buffer[], tolerated: readonly number[] = []) =>
    callController(
      makeCluster,
      {
        ...{ apiKey: 51, apiName: "AlterUserScramCredentials", decode: readCodes },
        body: Buffer.concat([noTags, compactArray(deletions), compactArray(upsertions), noTags]),
      },
      tolerated,
    );

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
      await alter([], [Buffer.concat(upsertion)]);
    },
    remove: (user) =>
      alter([Buffer.concat([compact(Buffer.from(user)), Buffer.from([mechanism]), noTags])], [], [resourceNotFound]),
  };
};
