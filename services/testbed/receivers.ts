/** Real servers that notices go to: each answers its own way and remembers what came. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createSealer } from "@astralog/chassis";
import type { AlertDestinationRecord } from "@astralog/schemas";
import { type Destination, type DestinationSecrets, type Notice, sealedFor } from "@astralog/schemas/alerts/index";
import { Webhook } from "standardwebhooks";
import type { Platform } from "./platform.ts";

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

/** `answer` gets how many came before; without an end the sender waits. `port` 0: any. */
export const startReceiver = async (
  answer: (response: ServerResponse, before: number) => void = (response) => response.writeHead(204).end(),
  port = 0,
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
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
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

/** A webhook as the api says it in its control topic. */
export const webhookRecord = (
  { tenant, deployment }: Pick<Platform, "tenant" | "deployment">,
  id: string,
  url: string,
  secrets: DestinationSecrets,
  standard = false,
): AlertDestinationRecord => {
  const sealer = createSealer([Buffer.from(deployment.alertsKey, "base64")]);
  const definition: Destination = {
    ...{ id, tenant, name: id, kind: "webhook", settings: { url }, template: { title: "", text: "" } },
    ...{ standard, version: 1, disabled: false },
    sealed: sealer.seal(sealedFor(tenant, id), JSON.stringify(secrets)),
  };
  return { tenant, destination: id, definition: JSON.stringify(definition) };
};
