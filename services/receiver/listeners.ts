/**
 * The sockets: HTTPS for everybody, plain HTTP on loopback. Their time-outs and bounds see to it that a client which is
 * slow, or many which are idle, hold connections and nothing else.
 */
import { readFileSync } from "node:fs";
import http, { type RequestListener } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

export interface Listeners {
  readonly httpsPort: number;
  /** 0 when plain HTTP is off. */
  readonly httpPort: number;
  /** Takes no new connection, lets what has begun end, and cuts what has not ended after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

const options: http.ServerOptions = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  // A body of the largest size over 5 Mbit/s.
  requestTimeout: 120_000,
  // Longer than common load balancers keep theirs: they must close first.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
};

/** For a client that answers a challenge slowly on purpose. */
const handshakeTimeout = 10_000;

export const listen = async (
  app: RequestListener,
  config: {
    HTTPS_HOST: string;
    HTTPS_PORT: number;
    HTTP_HOST: string;
    HTTP_PORT: number;
    TLS_CERT_FILE: string;
    TLS_KEY_FILE: string;
    MAX_CONNECTIONS: number;
    ACK_TIMEOUT_MS: number;
    STALL_MS: number;
  },
): Promise<Listeners> => {
  const secure = https.createServer(
    {
      ...options,
      handshakeTimeout,
      cert: readFileSync(config.TLS_CERT_FILE),
      key: readFileSync(config.TLS_KEY_FILE),
      minVersion: "TLSv1.2",
      honorCipherOrder: true,
    },
    app,
  );
  const open = config.HTTP_PORT === 0 ? undefined : http.createServer(options, app);
  const servers = open === undefined ? [secure] : [secure, open];
  for (const server of servers) {
    server.maxConnections = config.MAX_CONNECTIONS;
    // A connection on which nothing happens, from its first moment on, but for what a request may rightly wait for.
    server.timeout = Math.max(config.ACK_TIMEOUT_MS, config.STALL_MS) + 5_000;
    // The intake answers 100 Continue itself, once it wants the body.
    server.on("checkContinue", app);
  }
  const start = (server: http.Server | https.Server, host: string, port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
    });
  const httpsPort = await start(secure, config.HTTPS_HOST, config.HTTPS_PORT);
  const httpPort = open === undefined ? 0 : await start(open, config.HTTP_HOST, config.HTTP_PORT);
  return {
    httpsPort,
    httpPort,
    close: async (deadlineMs) => {
      const cut = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, deadlineMs);
      await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
      clearTimeout(cut);
    },
  };
};
