/**
 * The one way to /api/v1. Answers that are no success become a Problem, with the code to decide by and the text to show.
 */

import { readKey } from "./key.ts";
import { readOrganization } from "./organization.ts";

/** RFC 9457, as the api writes it. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: string;
  readonly status: number;
  readonly requestId: string | undefined;
  /** 1-based, of a query that cannot be run. */
  readonly column: number | undefined;
  readonly suggestion: string | undefined;
  readonly retryAfter: number | undefined;
  /** What is wrong with which field of the body, `rules.0.when.every`. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(fields: Pick<Problem, "code" | "status" | "message"> & Partial<Problem>) {
    super(fields.message);
    this.code = fields.code;
    this.status = fields.status;
    this.requestId = fields.requestId;
    this.column = fields.column;
    this.suggestion = fields.suggestion;
    this.retryAfter = fields.retryAfter;
    this.fields = fields.fields ?? {};
  }
}

interface Request {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A key when there is one; else the session's cookie, which the browser adds itself. */
const headersOf = (body: unknown): Record<string, string> => {
  const key = readKey();
  const organization = readOrganization();
  return {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(key === null && organization !== null ? { "astralog-organization": organization } : {}),
  };
};

const readProblem = async (response: Response): Promise<Problem> => {
  const text = await response.text();
  let said: Record<string, unknown> = {};
  try {
    said = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // A proxy's page, most likely: the status says what there is to say.
  }
  const retryAfter = Number(response.headers.get("retry-after"));
  return new Problem({
    code: typeof said.code === "string" ? said.code : "unreadable",
    status: response.status,
    message: typeof said.detail === "string" ? said.detail : `The server answered ${response.status}.`,
    ...(typeof said.request_id === "string" ? { requestId: said.request_id } : {}),
    ...(typeof said.column === "number" ? { column: said.column } : {}),
    ...(typeof said.suggestion === "string" ? { suggestion: said.suggestion } : {}),
    ...(retryAfter > 0 ? { retryAfter } : {}),
    ...(typeof said.fields === "object" ? { fields: said.fields as Record<string, string> } : {}),
  });
};

const send = async (path: string, { method = "GET", body, signal, headers = {} }: Request): Promise<Response> => {
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: { ...headersOf(body), ...headers },
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem({
      code: "unreachable",
      status: 0,
      message: navigator.onLine
        ? "The server did not answer. It may be restarting; this page tries again by itself."
        : "This device is offline.",
    });
  }
};

/** Throws Problem. */
const call = async <T>(path: string, request: Request = {}): Promise<T> => {
  const response = await send(path, request);
  if (!response.ok) throw await readProblem(response);
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
};

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>(path, { signal });
export const post = <T>(path: string, body: unknown = {}): Promise<T> => call<T>(path, { method: "POST", body });
const held = (etag?: string) => (etag === undefined ? {} : { headers: { "if-match": etag } });
export const put = <T>(path: string, body: unknown, etag?: string): Promise<T> =>
  call<T>(path, { method: "PUT", body, ...held(etag) });
export const patch = <T>(path: string, body: unknown, etag?: string): Promise<T> =>
  call<T>(path, { method: "PATCH", body, ...held(etag) });
export const remove = <T>(path: string): Promise<T> => call<T>(path, { method: "DELETE" });

/** With the tag that an edit must give back. Throws Problem. */
export const getTagged = async <T>(path: string, signal?: AbortSignal): Promise<{ value: T; etag: string }> => {
  const response = await send(path, { signal });
  if (!response.ok) throw await readProblem(response);
  return { value: (await response.json()) as T, etag: response.headers.get("etag") ?? "*" };
};

/** An answer that goes on, piece by piece. Throws Problem. */
export const open = async (
  path: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<ReadableStream<Uint8Array>> => {
  const response = await send(path, { signal, headers });
  if (!response.ok || response.body === null) throw await readProblem(response);
  return response.body;
};

/** A path's query part, without what is undefined or empty. */
export const queryOf = (values: Readonly<Record<string, string | number | undefined>>): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
};

/** What to tell a person about anything that was thrown. */
export const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem({
        code: "internal",
        status: 0,
        message: "Something failed in this page itself. Reload it to go on.",
      });
