/**
 * Sends an answer, also when the body it answers was not read. A short body still to come is let pass and the connection
 * kept; else the connection is closed, but not at once: a reset would reach a client that is still writing before the
 * answer does.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Answer } from "./protocol.ts";

/** An unread body up to this size is cheaper to read over than a new connection. */
const shortBody = 65_536;
/** How long, and for how many bytes, a client may go on writing after its answer. */
const linger = { checks: 20, everyMs: 50, bytes: 1_048_576 };

export const respond = (
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
  { requestId, bodyRead, close }: { requestId: string; bodyRead: boolean; close: boolean },
): void => {
  if (response.headersSent || response.destroyed) return;
  const cut = !bodyRead && !isShort(request);
  if (cut) lingerOn(request.socket);
  response.writeHead(status, {
    ...headers,
    "content-length": Buffer.byteLength(body),
    "x-request-id": requestId,
    "cache-control": "no-store",
    ...(cut || close ? { connection: "close" } : {}),
  });
  response.end(body);
  if (!bodyRead) request.resume();
};

/** Whether what is left of the body is small and certain to come: a client that waits for 100 Continue may not send it. */
const isShort = (request: IncomingMessage): boolean => {
  if (request.complete) return true;
  const { headers } = request;
  if (headers.expect !== undefined || headers["transfer-encoding"] !== undefined) return false;
  return Number(headers["content-length"] ?? 0) <= shortBody;
};

/** Node ends a connection by destroySoon once the answer is written; here that waits for the client to stop writing. */
const lingerOn = (socket: Socket): void => {
  socket.destroySoon = () => {
    socket.end();
    const from = socket.bytesRead;
    let checks = 0;
    const timer = setInterval(() => {
      if (++checks >= linger.checks || socket.bytesRead - from > linger.bytes || socket.destroyed) {
        clearInterval(timer);
        socket.destroy();
      }
    }, linger.everyMs);
  };
};
