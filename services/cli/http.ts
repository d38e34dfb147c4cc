/** One HTTP exchange over kept-alive connections. Addresses may be http or https; certificates are always checked. */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: Buffer | string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Given the pieces of a successful answer, which are then not kept. */
  readonly take?: (piece: Buffer) => Promise<void> | undefined;
}

export interface Http {
  /** Rejects with the system's error when no whole answer came. */
  call(call: Call): Promise<Answer>;
  close(): void;
}

export const createHttp = (ca: string | undefined, connections = 4): Http => {
  const options = { keepAlive: true, maxSockets: connections };
  const plain = new HttpAgent(options);
  const secure = new HttpsAgent({ ...options, ...(ca === undefined ? {} : { ca }) });
  return {
    call: ({ method, url, headers, body, timeoutMs = 60_000, signal, take }) =>
      new Promise((resolve, reject) => {
        const tls = url.protocol === "https:";
        const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
        const request = (tls ? httpsRequest : httpRequest)(
          url,
          {
            method,
            headers: { ...headers, ...length },
            agent: tls ? secure : plain,
            ...(signal === undefined ? {} : { signal }),
          },
          (response) => {
            const pieces: Buffer[] = [];
            const streamed = response.statusCode === 200 || response.statusCode === 206 ? take : undefined;
            response.on("data", (piece: Buffer) => {
              if (streamed === undefined) return void pieces.push(piece);
              const room = streamed(piece);
              if (room === undefined) return;
              response.pause();
              room.then(
                () => response.resume(),
                (error: Error) => request.destroy(error),
              );
            });
            // A connection that ends before its answer does.
            response.on("aborted", () => reject(Object.assign(new Error("cut"), { code: "ECONNRESET" })));
            response.on("error", reject);
            response.on("end", () =>
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                body: Buffer.concat(pieces).toString("utf8"),
              }),
            );
          },
        );
        request.setTimeout(timeoutMs, () =>
          request.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })),
        );
        request.on("error", reject);
        request.end(body);
      }),
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
};
