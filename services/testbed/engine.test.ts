import { afterEach, expect, test } from "@jest/globals";
import { chooseEngine } from "./engine.ts";

const { DOCKER_HOST } = process.env;
afterEach(() => {
  if (DOCKER_HOST === undefined) delete process.env.DOCKER_HOST;
  else process.env.DOCKER_HOST = DOCKER_HOST;
});

test("the switch decides when it is set, and a word it does not know is an error", async () => {
  expect(await chooseEngine("local")).toBe("local");
  expect(await chooseEngine("containers")).toBe("containers");
  await expect(chooseEngine("docker")).rejects.toThrow("must be local, containers or auto");
});

test("auto takes local processes where a Docker engine is named and does not answer", async () => {
  process.env.DOCKER_HOST = "tcp://127.0.0.1:1";
  expect(await chooseEngine("auto")).toBe("local");
});
