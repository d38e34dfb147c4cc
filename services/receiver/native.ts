/**
 * The native protocol, POST /v1/events. JSON in several shapes or plain text; the answer counts what was accepted,
 * names what was not, and gives a receipt.
 */
import { isUtf8 } from "node:buffer";
import { type Field, type JsonReader, makeReader } from "@astralog/schemas/json/index";
import { readJson, readLines, readText } from "./native-body.ts";
import type { Answer, Head, Protocol, Result } from "./protocol.ts";
import { Refusal } from "./refusals.ts";

const lineTypes = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonlines",
  "application/jsonlines",
]);
/** What clients send that were given a body and no type; the body must be JSON all the same. */
const vagueTypes = new Set(["", "application/x-www-form-urlencoded", "application/octet-stream"]);

type Shape = "json" | "lines" | "text";

const shapeOf = (contentType: string): Shape | undefined => {
  if (contentType === "application/json" || contentType === "text/json" || contentType.endsWith("+json")) return "json";
  if (lineTypes.has(contentType)) return "lines";
  if (contentType === "text/plain") return "text";
  return vagueTypes.has(contentType) ? "json" : undefined;
};

const parameters: Record<string, Field | ""> = {
  dry_run: "",
  time_field: "time",
  message_field: "message",
  level_field: "level",
};

const usual = makeReader();
/** Readers for requests that name their own fields; the least recently used is forgotten. */
const named = new Map<string, JsonReader>();
const maxNamed = 16;

const readerFor = (query: URLSearchParams): JsonReader => {
  const names: Partial<Record<Field, string>> = {};
  for (const [parameter, field] of Object.entries(parameters)) {
    const value = query.get(parameter);
    if (field !== "" && value !== null) names[field] = value;
  }
  if (Object.keys(names).length === 0) return usual;
  const id = JSON.stringify(names);
  const known = named.get(id) ?? makeReader(names, 1_024);
  named.delete(id);
  named.set(id, known);
  const oldest = named.keys().next().value;
  if (named.size > maxNamed && oldest !== undefined) named.delete(oldest);
  return known;
};

const checkQuery = (query: URLSearchParams): void => {
  for (const name of new Set(query.keys())) {
    if (!Object.hasOwn(parameters, name))
      throw new Refusal(
        "parameter_unknown",
        `There is no query parameter of that name; there are ${Object.keys(parameters).join(", ")}.`,
      );
    const values = query.getAll(name);
    if (values.length > 1) throw new Refusal("parameter_invalid", `${name} is given more than once.`);
    if (name === "dry_run" ? !/^(1|0|true|false)$/.test(values[0] ?? "") : !/^.{1,256}$/s.test(values[0] ?? ""))
      throw new Refusal(
        "parameter_invalid",
        name === "dry_run" ? "dry_run is 1 or 0." : `${name} is the name of a field, 1 to 256 characters.`,
      );
  }
};

const json = (status: number, headers: Readonly<Record<string, string>>, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body),
});

export const native: Protocol = {
  name: "native",

  check: ({ contentType, headers, query }) => {
    checkQuery(query);
    const charset = /charset\s*=\s*"?([\w-]+)/i.exec(headers["content-type"] ?? "")?.[1]?.toLowerCase() ?? "utf-8";
    if (shapeOf(contentType) === undefined || !["utf-8", "utf8", "us-ascii"].includes(charset))
      throw new Refusal(
        "content_type_unsupported",
        "Send application/json, application/x-ndjson or text/plain, in UTF-8.",
        { headers: { "accept-post": "application/json, application/x-ndjson, text/plain" } },
      );
  },

  isTrial: ({ query }) => /^(1|true)$/.test(query.get("dry_run") ?? ""),

  parse: async (body, head, sink) => {
    if (!isUtf8(body)) throw new Refusal("not_utf8", "The body is not UTF-8.");
    const from = body.length >= 3 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
    if (body.length === from) throw new Refusal("body_empty", "The body is empty; send at least one event.");
    const reader = readerFor(head.query);
    switch (shapeOf(head.contentType)) {
      case "lines":
        return readLines(reader, body, from, sink, false);
      case "text":
        return readText(reader, body, from, sink);
      default:
        return readJson(reader, body, from, sink);
    }
  },

  answer: ({ accepted, rejected, receipt, preview }: Result) => {
    if (preview !== undefined)
      return json(
        200,
        {},
        {
          dry_run: true,
          accepted,
          rejected,
          events: preview,
          note: "Nothing was stored. Secrets are removed after this step and before storage; here they are shown as sent.",
        },
      );
    if (accepted > 0 || rejected.length === 0) return json(200, {}, { accepted, rejected, receipt });
    const large = rejected.every(({ code }) => code === "event_too_large");
    return json(
      large ? 413 : 400,
      {},
      {
        code: large ? "event_too_large" : "all_rejected",
        message: `None of the ${rejected.length} events was taken. The first: ${rejected[0]?.message}`,
        accepted,
        rejected,
      },
    );
  },

  error: ({ status, code, message, headers, details }: Refusal, { requestId }: Head) =>
    json(status, headers, { code, message, ...details, request_id: requestId, accepted: 0, rejected: [] }),
};
