/** The API as functions: the shapes of its answers, and its refusals as Failures. */
import type { KeyUse, Place } from "./config.ts";
import { Failure } from "./failure.ts";
import type { Http } from "./http.ts";
import { answerFailure, networkFailure } from "./problem.ts";

export interface Api {
  /** `path` is under /api/v1/. The answer's JSON is trusted to have the shape asked for: it is our own server's. */
  call<T>(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, use: KeyUse, body?: object): Promise<T>;
}

/** A path with its query; parameters that are undefined are left out. */
export const withQuery = (path: string, parameters: Record<string, string | undefined>): string => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
};

export const createApi = (place: Place, http: Http, signal: AbortSignal): Api => ({
  call: async <T>(method: string, path: string, use: KeyUse, body?: object): Promise<T> => {
    const base = place.url("api");
    const url = new URL(`${base.pathname.replace(/\/$/, "")}/api/v1/${path}`, base);
    const headers = {
      authorization: `Bearer ${place.key(use)}`,
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const answer = await http
      .call({ method, url, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      .catch((error: unknown) => {
        throw networkFailure(error, url);
      });
    if (answer.status < 200 || answer.status >= 300) throw answerFailure(answer);
    if (answer.body === "") return {} as T;
    try {
      return JSON.parse(answer.body) as T;
    } catch {
      throw new Failure(`${url.origin} did not answer in JSON.`, "Is this the address of an Astralog API?");
    }
  },
});

export interface FoundEvent {
  id: string;
  timestamp: string;
  received_at: string;
  level: string;
  severity_number: number;
  source: string;
  service: string;
  host: string;
  message: string;
  trace_id: string;
  span_id: string;
  attributes: Record<string, unknown>;
}

export interface SearchAnswer {
  events: FoundEvent[];
  next: string | null;
  stats: { rows: number; bytes: number; ms: number };
}

export interface Source {
  id: string;
  name: string;
  disabled: boolean;
  retention_days: number;
  partitions: number;
  max_bytes_per_second: number;
  created_at: string;
}

export interface Key {
  id: string;
  kind: KeyUse;
  source: string | null;
  name: string;
  prefix: string;
  last4: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}
