/**
 * Requests to addresses that a customer named: webhooks, identity providers, buckets. Such an address must not lead into
 * the network that this service stands in. So: https to few ports; names are resolved once, every answer must be a
 * public address, and the connection goes to the answers that were judged, not to the name; no redirect is followed;
 * an answer has its limits in size and time.
 */
import { promises as dns, type LookupAddress } from "node:dns";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { isAllowed } from "./addresses.ts";
import { Fault } from "./fault.ts";

export interface OutgoingRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Behind the address, and of any length. */
  readonly query?: URLSearchParams | undefined;
  readonly body?: string | Uint8Array | URLSearchParams | null | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of the whole exchange, the resolving of the name included. */
  readonly timeoutMs?: number;
  /** Of the answer's body; a larger one is an error, not cut. */
  readonly mostBytes?: number;
}

export interface Outgoing {
  /** Throws the fault that `fetch` would, as far as the address' text tells it; for when one is saved. */
  check(address: string): void;
  /** Rejects as `check` throws, and where the name leads where it may not now; for an address that a server of ours will ask. */
  judge(address: string): Promise<void>;
  /**
   * The answer, read to its end, whatever its status; a redirect is an answer. Faults: `address_refused` where the address
   * may not be asked, `address_failed` (retriable) where it did not answer within the limits. Neither says more than that.
   */
  fetch(address: string, request?: OutgoingRequest): Promise<Response>;
}

export interface OutgoingOptions {
  /** CIDR blocks that may be asked though they are not public, on any port and without TLS: the operator's own network. */
  readonly allowed: readonly string[];
  readonly resolve?: (host: string) => Promise<LookupAddress[]>;
}

const ports = new Set(["", "443", "8443"]);
const timeoutMs = 15_000;
const mostBytes = 1_048_576;

/** Azure answers here, to each of its machines, what others answer at 169.254.169.254. */
const inside = ["168.63.129.16/32"];
/** All that is routed in IPv6; what is not in it also embeds IPv4 addresses in old ways. */
const globalUnicast = ["2000::/3"];

/** Whether the whole internet means the same machine by this address. */
export const isPublicAddress = (address: string): boolean => {
  if (isIP(address) === 0 || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast") return false;
  return parsed.kind() === "ipv4" ? !isAllowed(address, inside) : isAllowed(address, globalUnicast);
};

/** To be allowed for addresses that an operator chose himself, be they within his network. */
export const anyAddress: readonly string[] = ["0.0.0.0/0", "::/0"];

const refused = (): Fault =>
  new Fault(
    "address_refused",
    "The address must be https, on port 443 or 8443, and lead to a public address, or to one that the operator allows (OUTGOING_ALLOWED).",
  );

const failed = (cause: unknown): Fault =>
  new Fault("address_failed", "The address did not give an answer of a fit size in time.", { retriable: true, cause });

export const createOutgoing = ({ allowed, resolve = resolveAll }: OutgoingOptions): Outgoing => {
  const isOwn = (address: string) => allowed.length > 0 && isAllowed(address, allowed);

  const parse = (text: string): { url: URL; host: string } => {
    if (text.length > 2_048 || !URL.canParse(text)) throw refused();
    const url = new URL(text);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // One who writes 127.1, 0x7f000001 or a user in front of a host wants to be read in two ways.
    const plain = isIP(host) === 0 || text.toLowerCase().includes(`//${url.hostname}`);
    if (!plain || url.username !== "" || url.password !== "" || !/^https?:$/.test(url.protocol)) throw refused();
    const own = allowed.length > 0 && (isIP(host) === 0 || isOwn(host));
    if (!own && (url.protocol !== "https:" || !ports.has(url.port))) throw refused();
    if (isIP(host) !== 0 && !isOwn(host) && !isPublicAddress(host)) throw refused();
    return { url, host };
  };

  /** Where to connect to: every address of the host, each judged. */
  const judge = async (url: URL, host: string): Promise<LookupAddress[]> => {
    const family = isIP(host);
    const addresses = family === 0 ? await resolve(host).catch((): LookupAddress[] => []) : [{ address: host, family }];
    const strict = url.protocol === "https:" && ports.has(url.port);
    const fit = ({ address }: LookupAddress) => isOwn(address) || (strict && isPublicAddress(address));
    // A name that nobody has is refused alike: the answer must not tell which names exist inside.
    if (addresses.length === 0 || !addresses.every(fit)) throw refused();
    return addresses;
  };

  return {
    check: (address) => void parse(address),
    judge: async (address) => {
      const { url, host } = parse(address);
      await judge(url, host);
    },
    fetch: async (address, options = {}) => {
      const { url, host } = parse(address);
      const deadline = AbortSignal.timeout(options.timeoutMs ?? timeoutMs);
      const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
      try {
        const addresses = await Promise.race([judge(url, host), aborted(signal)]);
        const answer = await send(url, addresses, options, signal);
        return await read(answer, options.mostBytes ?? mostBytes);
      } catch (error) {
        throw error instanceof Fault ? error : failed(error);
      }
    },
  };
};

const resolveAll = (host: string): Promise<LookupAddress[]> => dns.lookup(host, { all: true });

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

const send = (
  url: URL,
  addresses: readonly LookupAddress[],
  { method = "GET", headers = {}, query, body }: OutgoingRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> => {
  // The name stays in TLS and in Host; where it leads to is decided already.
  const lookup: LookupFunction = (_, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family ?? 4);
  };
  const form = body instanceof URLSearchParams;
  const bytes = form ? Buffer.from(body.toString()) : Buffer.isBuffer(body) ? body : Buffer.from(body ?? "");
  const whole = new URL(url);
  if (query !== undefined) whole.search = query.toString();
  return new Promise((resolve, reject) => {
    const sent = (url.protocol === "https:" ? requestHttps : requestHttp)(whole, {
      ...{ method, lookup, signal, agent: false },
      headers: {
        "user-agent": "astralog",
        "accept-encoding": "identity",
        ...(form ? { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" } : {}),
        ...headers,
        ...(bytes.length > 0 || method === "POST" ? { "content-length": String(bytes.length) } : {}),
      },
    });
    sent.once("response", resolve);
    sent.on("error", reject);
    sent.end(bytes);
  });
};

const bodiless = new Set([204, 205, 304]);

const read = async (answer: IncomingMessage, most: number): Promise<Response> => {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > most) throw new Error(`the answer has more than ${most} bytes`);
    pieces.push(piece);
  }
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    headers.append(answer.rawHeaders[i] ?? "", answer.rawHeaders[i + 1] ?? "");
  }
  const status = answer.statusCode ?? 0;
  return new Response(bodiless.has(status) ? null : Buffer.concat(pieces), { status, headers });
};
