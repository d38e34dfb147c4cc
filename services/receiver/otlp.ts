/**
 * OTLP/HTTP logs, POST /v1/logs, in protobuf and JSON. The answer is in the request's own encoding; errors are
 * google.rpc.Status. A client repeats a request by sending the same bytes, so their hash recognises the repeat.
 */
import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import type { EventSink, Rejection } from "./event-parts.ts";
import { type LogRecord, RecordProblem, type Surroundings, toEvent } from "./otlp-event.ts";
import { allTimedJson, jsonRecord, jsonRecords, OtlpJsonError, parseOtlpJson } from "./otlp-json.ts";
import { allTimed, protobufRecord, protobufRecords } from "./otlp-protobuf.ts";
import { bytesField, numberField, ProtobufError } from "./protobuf.ts";
import type { Answer, Head, Protocol } from "./protocol.ts";
import { Refusal } from "./refusals.ts";

/** Records after which other requests get their turn. */
const turnRecords = 2_000;

/** google.rpc.Code by HTTP status. */
const rpcCodes: Record<number, number> = { 400: 3, 401: 16, 403: 7, 408: 4, 413: 3, 415: 3, 429: 8, 503: 14 };

const isProtobuf = ({ contentType }: Head): boolean =>
  contentType === "application/x-protobuf" || contentType === "application/protobuf";

const takeAll = async <R>(
  records: Iterable<{ record: R; around: () => Surroundings }>,
  decode: (record: R) => LogRecord,
  sink: EventSink,
): Promise<void> => {
  let turn = turnRecords;
  for (const { record, around } of records) {
    try {
      const surrounding = around();
      sink.event(toEvent(decode(record), surrounding));
    } catch (error) {
      if (!(error instanceof RecordProblem)) throw error;
      sink.reject(error.code, error.message, error.field);
    }
    if (--turn > 0) continue;
    turn = turnRecords;
    await breathe();
  }
};

/** Identical lines are legitimate, identical requests are repeats: but only where each record says its time. */
const dedupId = (body: Buffer): string => `body:${hash("sha256", body, "base64url")}`;

const answer = (
  head: Head,
  status: number,
  headers: Readonly<Record<string, string>>,
  json: unknown,
  binary: Buffer,
): Answer =>
  isProtobuf(head)
    ? { status, headers: { "content-type": "application/x-protobuf", ...headers }, body: binary }
    : { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(json) };

/** All rejected records in one text, those with the same fault together. */
const describe = (rejected: readonly Rejection[]): string => {
  const byFault = Map.groupBy(
    rejected,
    ({ code, field, message }) => `${code}${field === undefined ? "" : ` (${field})`}: ${message}`,
  );
  return [...byFault]
    .map(([fault, list]) => `${fault} Records: ${list.map(({ index }) => index).join(", ")}.`)
    .join(" ");
};

export const otlpLogs: Protocol = {
  name: "otlp",

  check: (head) => {
    if (!isProtobuf(head) && head.contentType !== "application/json")
      throw new Refusal("content_type_unsupported", "Send application/x-protobuf or application/json.");
  },

  parse: async (body, head, sink) => {
    try {
      if (isProtobuf(head)) {
        if (allTimed(body)) sink.dedupBy(dedupId(body));
        await takeAll(protobufRecords(body), protobufRecord, sink);
      } else {
        if (!isUtf8(body)) throw new Refusal("not_utf8", "The body is not UTF-8.");
        const parsed = parseOtlpJson(body.toString("utf8"));
        if (allTimedJson(parsed)) sink.dedupBy(dedupId(body));
        await takeAll(jsonRecords(parsed), jsonRecord, sink);
      }
    } catch (error) {
      if (error instanceof ProtobufError || error instanceof OtlpJsonError)
        throw new Refusal("body_malformed", `The body is no ExportLogsServiceRequest: ${error.message}.`, {
          cause: error,
        });
      if (error instanceof RecordProblem) throw new Refusal("body_malformed", error.message, { cause: error });
      throw error;
    }
  },

  answer: ({ accepted, rejected, receipt }, head) => {
    const headers: Record<string, string> = receipt === "" ? {} : { "x-astralog-receipt": receipt };
    if (rejected.length === 0) return answer(head, 200, headers, {}, Buffer.alloc(0));
    const errorMessage = describe(rejected);
    if (accepted === 0) return answer(head, 400, headers, { code: 3, message: errorMessage }, status(3, errorMessage));
    return answer(
      head,
      200,
      headers,
      { partialSuccess: { rejectedLogRecords: String(rejected.length), errorMessage } },
      bytesField(1, Buffer.concat([numberField(1, rejected.length), bytesField(2, errorMessage)])),
    );
  },

  error: ({ status: given, code, message, headers }: Refusal, head) => {
    // OTLP clients give up on 500, and what failed here may well pass.
    const http = given >= 500 ? 503 : given;
    const rpc = rpcCodes[http] ?? 2;
    const text = `${code}: ${message}`;
    return answer(
      head,
      http,
      http === 503 ? { "retry-after": "2", ...headers } : headers,
      { code: rpc, message: text },
      status(rpc, text),
    );
  },
};

const status = (code: number, message: string): Buffer => Buffer.concat([numberField(1, code), bytesField(2, message)]);
