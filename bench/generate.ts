/**
 * Made-up events that weigh what real ones do: about 380 bytes as JSON; half access lines, a third structured lines of
 * services with traces, the rest of an orchestrator. One in two hundred holds something that must be redacted.
 *
 * Known things are planted, so that a search has something to find: `rareWord` in one of 20,000, `phrase` in one of
 * 1,000 lines of checkout.
 */
import type { Event } from "@astralog/schemas/event-batch";
import { createRandom, type Random } from "./random.ts";

export const rareWord = "xylograph";
export const phrase = "connection reset by peer";

const services = ["checkout", "cart", "catalog", "payments", "accounts", "shipping", "search", "mailer"];
const paths = [
  "/",
  "/products",
  "/products/detail",
  "/cart",
  "/cart/items",
  "/checkout",
  "/checkout/confirm",
  "/account/orders",
  "/static/app.5f3c1.js",
  "/static/style.91ab2.css",
  "/img/banner-spring.webp",
  "/api/v2/stock",
  "/api/v2/prices",
  "/health",
];
const agents = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (compatible; steadybot/2.1; +http://www.example.com/bot.html)",
  "okhttp/4.12.0",
];
const doings = [
  "reserved stock for order",
  "priced basket",
  "authorized payment for order",
  "queued parcel",
  "rendered page",
  "refreshed session of user",
];
const troubles = [
  "retrying upstream call",
  "queue is filling up",
  "slow query",
  "card declined",
  "upstream answered 503",
];
const namespaces = ["shop", "payments", "platform", "batch"];
const controllers = ["replicaset", "deployment", "node_lifecycle", "endpointslice", "job"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");

type Part = Pick<Event, "level" | "service" | "host" | "message"> & {
  trace_id?: string;
  span_id?: string;
  types: string;
  attributes: string[];
};

const access = (r: Random, at: Date): Part => {
  const status = r.pick([200, 200, 200, 200, 200, 200, 304, 302, 404, 404, 500]);
  const method = r.pick(["GET", "GET", "GET", "GET", "POST"]);
  const address = `${1 + r.below(222)}.${r.below(256)}.${r.below(256)}.${1 + r.below(254)}`;
  const day = `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  const path = r.pick(paths);
  const query = r.share() < 0.3 ? `?id=${r.below(90_000)}&page=${r.below(40)}` : "";
  return {
    level: status >= 500 ? 17 : status >= 400 ? 13 : 9,
    service: "edge",
    host: `edge-${r.below(6)}`,
    message: `${address} - - [${day}:${time} +0000] "${method} ${path}${query} HTTP/1.1" ${status} ${r.below(200_000)} "https://shop.example.com${r.pick(paths)}" "${r.pick(agents)}"`,
    types: "n",
    attributes: ["status", String(status)],
  };
};

const structured = (r: Random): Part => {
  const service = r.pick(services);
  const dice = r.share();
  const level = dice < 0.7 ? 9 : dice < 0.88 ? 5 : dice < 0.97 ? 13 : 17;
  const user = `u${r.below(50_000)}`;
  const order = 1_000_000 + r.below(8_000_000);
  let message =
    level >= 13 ? `${r.pick(troubles)}: order ${order}, attempt ${1 + r.below(4)}` : `${r.pick(doings)} ${order}`;
  if (service === "checkout" && r.share() < 0.001)
    message = `payment gateway: ${phrase} while confirming order ${order}`;
  if (r.share() < 0.000_14) message += `, see ${rareWord} ${r.hex(6)}`;
  if (r.share() < 0.015) message += r.share() < 0.5 ? `, mail to ${user}@brightpost.dev` : `, password=${r.hex(12)}`;
  return {
    level,
    service,
    host: `ip-10-0-${r.below(4)}-${r.below(60)}`,
    message,
    trace_id: r.hex(32),
    span_id: r.hex(16),
    types: "ssnnsss",
    attributes: [
      "user_id",
      user,
      "region",
      r.pick(["eu-central-1", "us-east-1"]),
      "duration_ms",
      String(r.below(90_000) / 100),
      "http.status_code",
      String(r.pick([200, 200, 200, 201, 400, 503])),
      "logger",
      `com.shop.${service}.Handler`,
      "thread",
      `worker-${r.below(16)}`,
      "version",
      `4.${r.below(3)}.${r.below(9)}`,
    ],
  };
};

const orchestrator = (r: Random): Part => {
  const namespace = r.pick(namespaces);
  const pod = `${r.pick(services)}-${r.hex(9)}-${r.hex(5)}`;
  const warn = r.share() < 0.1;
  const took = `${r.below(900)}.${r.below(1000)}ms`;
  // A fifth speaks of keys, as controllers do: a redactor has to look closely at those.
  const controls = r.share() < 0.2;
  const controller = r.pick(controllers);
  const said = controls
    ? `${controller}_controller.go:${100 + r.below(900)}] "${warn ? "Error syncing, will retry" : "Finished syncing"}" logger="${controller}" key="${namespace}/${pod}" duration="${took}"`
    : `pod_workers.go:${100 + r.below(900)}] "${warn ? "Error syncing pod, skipping" : "SyncLoop update of pod finished"}" pod="${namespace}/${pod}" containers=${1 + r.below(3)} duration="${took}"`;
  return {
    level: warn ? 13 : 9,
    service: controls ? "controller-manager" : "kubelet",
    host: `node-${r.below(24)}`,
    message: said,
    types: "sssss",
    attributes: [
      "k8s.namespace.name",
      namespace,
      "k8s.pod.name",
      pod,
      "k8s.container.name",
      "main",
      "k8s.node.name",
      `node-${r.below(24)}`,
      "k8s.pod.uid",
      `${r.hex(8)}-${r.hex(4)}-4${r.hex(3)}-a${r.hex(3)}-${r.hex(12)}`,
    ],
  };
};

/** `count` events from number `first` on, a tenth of a millisecond apart, ending at `endMillis` for number `of`. */
export function* generate(seed: number, first: number, count: number, of: number, endMillis: number): Generator<Event> {
  const r = createRandom(seed ^ Math.imul(first + 1, 0x9e3779b1));
  for (let i = first; i < first + count; i++) {
    const ticks = of - i;
    const millis = endMillis - Math.ceil(ticks / 10);
    const dice = r.share();
    const {
      types,
      trace_id = "",
      span_id = "",
      ...rest
    } = dice < 0.5 ? access(r, new Date(millis)) : dice < 0.85 ? structured(r) : orchestrator(r);
    yield { millis, nanos: 0, trace_id, span_id, attribute_types: types, ...rest };
  }
}

const levels: Record<number, string> = { 5: "debug", 9: "info", 13: "warn", 17: "error" };

/** As a client sends it to POST /v1/events. */
export const toJson = (event: Event): string => {
  const fields: Record<string, string | number> = {
    timestamp: new Date(event.millis).toISOString(),
    level: levels[event.level] ?? "info",
    service: event.service,
    host: event.host,
    message: event.message,
  };
  if (event.trace_id !== "") fields.trace_id = event.trace_id;
  if (event.span_id !== "") fields.span_id = event.span_id;
  for (let i = 0; i < event.attributes.length; i += 2) {
    const value = event.attributes[i + 1] ?? "";
    fields[event.attributes[i] ?? ""] = event.attribute_types[i / 2] === "n" ? Number(value) : value;
  }
  return JSON.stringify(fields);
};
