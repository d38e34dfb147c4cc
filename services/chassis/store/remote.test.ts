import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ClickHouseError } from "@clickhouse/client";
import { describe, expect, test } from "@jest/globals";
import { Fault } from "../fault.ts";
import { createOutgoing } from "../outgoing.ts";
import { failureOf } from "./clickhouse.ts";
import { createRemoteClickHouse, parameterText, remoteTrouble } from "./remote.ts";

test.each([
  ["a\tb\\c'd\ne", "a\\tb\\\\c\\'d\\ne"],
  [7, "7"],
  [["it's", "x"], "['it\\'s','x']"],
  [[1, 2], "[1,2]"],
  [[], "[]"],
])("a parameter %j goes as %s", (value, text) => {
  expect(parameterText(value)).toBe(text);
});

describe("what a server that is not ours may answer", () => {
  const answering = async (status: number, body: string, work: (url: string) => Promise<void>): Promise<void> => {
    const server = createServer((_, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).finally(() => server.close());
  };
  const outgoing = createOutgoing({ allowed: ["127.0.0.0/8"] });
  const asking = (url: string, mostBytes = 1_000) =>
    createRemoteClickHouse(outgoing, { url, username: "u", password: "p", database: "d" })
      .ask({ query: "SELECT 1", mostBytes })
      .then(() => undefined)
      .catch((error: unknown) => error);

  test("its error is told by its name, and quotes nothing", () =>
    answering(404, "Code: 60. DB::Exception: Table 'secret' is gone. (UNKNOWN_TABLE) (version 26.7)", async (url) => {
      const error = await asking(url);
      expect(error).toBeInstanceOf(ClickHouseError);
      expect(remoteTrouble(error)).toEqual({ code: "UNKNOWN_TABLE", detail: expect.not.stringContaining("secret") });
    }));

  test("a page that is no ClickHouse's is trouble that passes, and no reason to give a batch up", () =>
    answering(502, "<html>Bad gateway</html>", async (url) => {
      const error = await asking(url);
      expect(error).toBeInstanceOf(Fault);
      expect(failureOf(error)).toBe("trouble");
      expect(remoteTrouble(error).detail).toBe("The server answered 502, and not as ClickHouse does.");
    }));

  test("an answer without end is not read to its end", () =>
    answering(200, "x".repeat(2_000), async (url) => {
      expect(await asking(url)).toMatchObject({ code: "address_failed" });
    }));
});
