import { expect, test } from "@jest/globals";
import { isRetriable, throughElection } from "./kafka.ts";

const error = (type: string | undefined, cause?: Error): Error =>
  Object.assign(new Error("as the client says it", { cause }), type === undefined ? {} : { type, retriable: false });

test("only Kafka's word on the record itself is final, however it is wrapped", () => {
  expect(isRetriable(error("MESSAGE_TOO_LARGE"))).toBe(false);
  expect(isRetriable(error(undefined, error("INVALID_RECORD")))).toBe(false);
  // A broker that is away, or still reading its users and rights, will take the same record later.
  for (const passing of [undefined, "NOT_ENOUGH_REPLICAS", "TOPIC_AUTHORIZATION_FAILED", "COORDINATOR_LOADING"]) {
    expect(isRetriable(error(undefined, error(passing)))).toBe(true);
  }
});

test("a partition that has no leader yet is asked again, and nothing else is", async () => {
  let asked = 0;
  const after = (tries: number, type: string) => () =>
    ++asked < tries ? Promise.reject(error(type)) : Promise.resolve(asked);
  expect(await throughElection(after(3, "NOT_LEADER_FOR_PARTITION"), [1, 1])).toBe(3);
  asked = 0;
  await expect(throughElection(after(4, "LEADER_NOT_AVAILABLE"), [1, 1])).rejects.toMatchObject({
    type: "LEADER_NOT_AVAILABLE",
  });
  asked = 0;
  await expect(throughElection(after(2, "TOPIC_AUTHORIZATION_FAILED"), [1])).rejects.toThrow();
  expect(asked).toBe(1);
});
