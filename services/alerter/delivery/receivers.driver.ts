/** For the tests: real servers that notices go to, of which each answers its own way and remembers what came. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Notice } from "@astralog/schemas/alerts/index";
import { Webhook } from "standardwebhooks";

export interface Got {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: string;
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  readonly got: Got[];
  close(): Promise<void>;
}

/** `answer` gets how many came before; without an end the sender waits. */
export const startReceiver = async (
  answer: (response: ServerResponse, before: number) => void = (response) => response.writeHead(204).end(),
): Promise<Receiver> => {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { headers, url: path = "" } = request;
      const before = got.push({
        ...{ id: String(headers["webhook-id"] ?? ""), headers, path, at: Date.now() },
        body: Buffer.concat(pieces).toString(),
      });
      answer(response, before - 1);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** What the reference receiver makes of it; throws when the signature is not right. */
export const verified = ({ body, headers }: Got, secret: string): { type: string; data: Notice } =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as { type: string; data: Notice };
