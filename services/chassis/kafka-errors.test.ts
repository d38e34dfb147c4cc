import { expect, test } from "@jest/globals";
import { isRetriable } from "./kafka.ts";

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
