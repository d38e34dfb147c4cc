/** Which protocol answers where. Paths are at the host's root: several clients cannot set a prefix. */
import { native } from "./native.ts";
import { otlpLogs } from "./otlp.ts";
import type { Protocol } from "./protocol.ts";

export interface Route {
  readonly methods: readonly ("post" | "put")[];
  readonly path: string;
  readonly protocol: Protocol;
}

export const routes: readonly Route[] = [
  { methods: ["post"], path: "/v1/events", protocol: native },
  { methods: ["post"], path: "/v1/logs", protocol: otlpLogs },
];
