/**
 * One request from head to acknowledgement. The order is the guarantee: nothing of the body is read before the key, the
 * limits and the room for it are good, and nothing is answered with success before Kafka has confirmed every event.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "@astralog/chassis";
import { type AddressRange, clientAddress } from "@astralog/chassis";
import { admit, type Grant, type Knowledge } from "./admit.ts";
import type { Volume } from "./daily-volume.ts";
import { EventParts, recycle } from "./event-parts.ts";
import type { InFlight } from "./in-flight.ts";
import { encodingOf, inflate } from "./inflate.ts";
import { maxIdempotencyKey } from "./limits.ts";
import type { ReceiverMetrics } from "./metrics.ts";
import { preview } from "./preview.ts";
import type { Answer, Head, Protocol, Result } from "./protocol.ts";
import type { Quotas } from "./quotas.ts";
import { randomId } from "./random-id.ts";
import { readBody } from "./read-body.ts";
import { Refusal } from "./refusals.ts";
import { respond } from "./respond.ts";
import type { Submit } from "./submit.ts";
import { createBuckets } from "./token-bucket.ts";

export interface IntakeDeps {
  readonly log: Log;
  readonly metrics: ReceiverMetrics;
  readonly inFlight: InFlight;
  readonly knowledge: Knowledge;
  readonly quotas: Pick<Quotas, "admit">;
  readonly submit: Submit;
  /** undefined until everything is there that events need; then the id of EventBatch's schema. */
  schemaId(): number | undefined;
  /** Hears of each key that was good. */
  used(key: string): void;
  /** Whether Kafka answered the last time it was asked. */
  kafkaUp(): boolean;
  /** Whether each answer should also end its connection. */
  closing(): boolean;
  readonly trustedProxies: readonly AddressRange[];
  readonly maxBodyBytes: number;
  readonly stallMs: number;
}

/** Bad keys from one address: so many a second, and so many at once, before the answer is only "slow down". */
const failures = { perSecond: 10, burst: 100, addresses: 20_000 };

export const createIntake = (deps: IntakeDeps) => {
  const { log, metrics, inFlight } = deps;
  const failed = createBuckets(failures.addresses);

  /** Throws a Refusal; a client that keeps failing is told to slow down instead. */
  const grantFor = (request: IncomingMessage, head: Head, protocol: Protocol): Grant => {
    const forwarded = request.headers["x-forwarded-for"];
    const address = clientAddress(
      request.socket.remoteAddress ?? "",
      Array.isArray(forwarded) ? forwarded.join(",") : forwarded,
      deps.trustedProxies,
    );
    try {
      const grant = admit(head, request.url ?? "", address, deps.knowledge, Date.now(), protocol.keyParameter);
      deps.used(grant.keyId);
      return grant;
    } catch (error) {
      const now = performance.now();
      const bucket = failed.get(address, failures.perSecond, failures.burst, now);
      const wait = bucket.wait(now);
      bucket.spend(1, now);
      if (wait === 0) throw error;
      throw new Refusal("too_many_failures", "Too many requests with bad keys came from this address.", {
        cause: error,
      });
    }
  };

  /** All that can be told from the head. Throws a Refusal. */
  const before = (request: IncomingMessage, head: Head, protocol: Protocol) => {
    const schemaId = deps.schemaId();
    if (schemaId === undefined) throw new Refusal("not_ready", "The receiver is starting.");
    const grant = grantFor(request, head, protocol);
    protocol.check(head);
    const encoding = encodingOf(request.headers["content-encoding"]);
    const idempotencyKey = readIdempotencyKey(head);
    if (!deps.kafkaUp()) throw new Refusal("kafka_unavailable", "Kafka does not answer. Send the request again.");
    return { grant, encoding, idempotencyKey, schemaId, allowance: deps.quotas.admit(grant) };
  };

  const take = async (
    request: IncomingMessage,
    response: ServerResponse,
    head: Head,
    protocol: Protocol,
    progress: { bodyRead: boolean },
  ): Promise<Result> => {
    const { grant, encoding, idempotencyKey, schemaId, allowance } = before(request, head, protocol);
    const lease = inFlight.lease();
    let parts: EventParts | undefined;
    let volume: Volume | undefined;
    let handedOver = false;
    try {
      if (request.headers.expect !== undefined) response.writeContinue();
      const sent = await readBody(request, lease, { maxBytes: deps.maxBodyBytes, stallMs: deps.stallMs });
      progress.bodyRead = true;
      const readAt = performance.now();
      const body = encoding === undefined ? sent : await inflate(sent, encoding, lease, deps.maxBodyBytes);
      allowance.spend(body.length, readAt);
      metrics.sentBytes.inc({ protocol: protocol.name }, sent.length);
      metrics.inflatedBytes.inc({ protocol: protocol.name }, body.length);

      parts = new EventParts({
        tenant: grant.tenant,
        source: grant.source.source,
        protocol: protocol.name,
        retentionDays: allowance.retentionDays,
        schemaId,
        idempotencyKey,
      });
      await protocol.parse(body, head, parts);
      parts.finish();
      const { accepted, rejected, dedupKey } = parts;
      if (protocol.isTrial?.(head)) return { accepted, rejected, receipt: "", preview: preview(parts.parts) };
      if (accepted === 0) return { accepted, rejected, receipt: "" };
      volume = allowance.take(parts.parts.reduce((sum, part) => sum + part.eventBytes, 0));
      const held = parts.parts.reduce((sum, part) => sum + part.value.length, 0);
      lease.hold(Math.min(held, lease.held));
      const { acknowledged, settled } = deps.submit({
        tenant: grant.tenant,
        partitions: allowance.partitions,
        dedupKey,
        parts: parts.parts,
        placed: volume.placed,
      });
      handedOver = true;
      const { parts: records } = parts;
      void settled.then((confirmed) => {
        lease.release();
        volume?.end();
        if (confirmed) recycle(records);
      });
      const receipt = await acknowledged;
      metrics.ackSeconds.observe((performance.now() - readAt) / 1000);
      return { accepted, rejected, receipt };
    } finally {
      parts?.release();
      if (!handedOver) {
        lease.release();
        volume?.end();
      }
    }
  };

  const answerTo = async (
    request: IncomingMessage,
    response: ServerResponse,
    head: Head,
    protocol: Protocol,
    progress: { bodyRead: boolean },
  ): Promise<Answer> => {
    try {
      const result = await take(request, response, head, protocol, progress);
      if (result.preview === undefined) {
        metrics.events.inc({ protocol: protocol.name }, result.accepted);
        metrics.batchEvents.observe({ protocol: protocol.name }, result.accepted + result.rejected.length);
        for (const { code } of result.rejected) metrics.rejected.inc({ protocol: protocol.name, code });
      }
      return protocol.answer(result, head);
    } catch (error) {
      const refusal =
        error instanceof Refusal ? error : new Refusal("internal", "Something went wrong here.", { cause: error });
      if (refusal.code === "internal") log.error({ err: error, request_id: head.requestId }, "a request failed");
      else log.debug({ code: refusal.code, request_id: head.requestId }, "a request was refused");
      metrics.refusals.inc({ protocol: protocol.name, code: refusal.code });
      const answer = protocol.error(refusal, head);
      if (refusal.retryAfter === undefined) return answer;
      return { ...answer, headers: { ...answer.headers, "retry-after": String(refusal.retryAfter) } };
    }
  };

  return (protocol: Protocol) =>
    async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const head = readHead(request);
      const progress = { bodyRead: false };
      const answer = await answerTo(request, response, head, protocol, progress);
      metrics.requests.inc({ protocol: protocol.name, status: String(answer.status) });
      respond(request, response, answer, {
        requestId: head.requestId,
        bodyRead: progress.bodyRead,
        // The rest of a body that stalled may never come.
        close: deps.closing() || answer.status === 408,
      });
    };
};

const readHead = (request: IncomingMessage): Head => {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const { headers } = request;
  return {
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    headers,
    contentType: (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "",
    requestId: randomId(9),
  };
};

const readIdempotencyKey = ({ headers }: Head): string => {
  const given = headers["idempotency-key"];
  if (given === undefined) return "";
  if (typeof given === "string" && given.length <= maxIdempotencyKey && /^[\x21-\x7e]+$/.test(given)) return given;
  throw new Refusal(
    "idempotency_key_invalid",
    `Idempotency-Key is 1 to ${maxIdempotencyKey} printable ASCII characters without spaces.`,
  );
};
