/** Reads a request's body as it was sent, up to a cap, and gives up on a client that stalls. */
import type { IncomingMessage } from "node:http";
import type { Lease } from "./in-flight.ts";
import { Refusal } from "./refusals.ts";

const tooLarge = (maxBytes: number): Refusal =>
  new Refusal("body_too_large", `The body is larger than ${maxBytes} bytes. Send smaller batches.`);

/** Rejects with a Refusal: body_too_large, request_timeout, client_gone, overloaded. `stallMs` without a byte is a stall. */
export const readBody = (
  request: IncomingMessage,
  lease: Lease,
  { maxBytes, stallMs }: { maxBytes: number; stallMs: number },
): Promise<Buffer> => {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error: unknown): void => {
      clearTimeout(stall);
      request.removeListener("data", data);
      request.removeListener("end", end);
      request.removeListener("close", close);
      if (error !== undefined) {
        request.pause();
        reject(error);
      }
    };
    const stall = setTimeout(
      () => stop(new Refusal("request_timeout", `No byte of the body came for ${stallMs} ms.`)),
      stallMs,
    );
    const data = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) return stop(tooLarge(maxBytes));
      try {
        lease.hold(size);
      } catch (error) {
        return stop(error);
      }
      chunks.push(chunk);
      stall.refresh();
    };
    const end = (): void => {
      stop(undefined);
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    };
    const close = (): void => stop(new Refusal("client_gone", "The connection ended before the body did."));
    request.on("data", data);
    request.on("end", end);
    request.on("close", close);
  });
};
