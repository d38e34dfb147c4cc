/** For the tests: what they ask of the api and send to the receiver, and how they wait for what comes of it. */
import type { Certificate } from "@astralog/schemas/retention/index";
import { type Platform, type RunningService, type Sql, until } from "@astralog/testbed";

/** Rows that a sweep writes: for each place, and for fields that go before their events do. */
export const places = 9;

/** Waits for a whole sweep that began from then on. */
export const untilSwept = async (sql: Sql, since = new Date()): Promise<void> => {
  const from = since.toISOString().replace("T", " ").replace("Z", "");
  await until("a sweep", async () => {
    const [row] = await sql<{ n: number }>(
      `SELECT toUInt32(uniqExact(place)) AS n FROM sweeps WHERE began_at > '${from}'`,
    );
    return (row?.n ?? 0) >= places ? true : undefined;
  });
};

/** The services are taken anew each time: a test starts them again. */
export const createDriver = (of: () => { one: Platform; api: RunningService; receiver: RunningService }) => {
  const ask = async (method: string, path: string, body?: unknown, key = of().one.adminKey) => {
    const { api } = of();
    const answer = await fetch(`${api.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  return {
    ask,
    /** Through the whole pipeline. */
    send: (events: readonly object[]): Promise<true> =>
      until("an accepted batch", async () => {
        const { one, receiver } = of();
        const answer = await fetch(`${receiver.url}/v1/events`, {
          method: "POST",
          headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
          body: JSON.stringify(events),
        });
        await answer.arrayBuffer();
        return answer.ok ? true : undefined;
      }),
    certified: (id: string): Promise<Certificate> =>
      until("the certificate", async () => {
        const { status, body } = await ask("GET", `/deletions/${id}/certificate`);
        return status === 200 ? (body as Certificate) : undefined;
      }),
    removedLines: async (id: string): Promise<string[]> => {
      const { one, api } = of();
      const answer = await fetch(`${api.url}/api/v1/deletions/${id}/removed`, {
        headers: { authorization: `Bearer ${one.adminKey}` },
      });
      return (await answer.text()).split("\n");
    },
  };
};
