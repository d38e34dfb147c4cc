/** The API as functions: the shapes of its answers, and its refusals as Failures. */
import type { KeyUse, Place } from "./config.ts";
import { Failure } from "./failure.ts";
import type { Answer, Call, Http } from "./http.ts";
import { answerFailure, networkFailure } from "./problem.ts";

export interface Api {
  /** `path` is under /api/v1/. The answer's JSON is trusted to have the shape asked for: it is our own server's. */
  call<T>(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, use: KeyUse, body?: object): Promise<T>;
  /** Sends a file as it is. */
  upload(path: string, use: KeyUse, body: Buffer): Promise<void>;
  /** Gives the answer piece by piece as it comes, however long it is. Rejects when it does not come to its end. */
  download(
    path: string,
    use: KeyUse,
    take: (piece: Buffer) => Promise<void> | undefined,
    headers?: Readonly<Record<string, string>>,
  ): Promise<void>;
}

/** A path with its query; parameters that are undefined are left out. */
export const withQuery = (path: string, parameters: Record<string, string | undefined>): string => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
};

export const createApi = (place: Place, http: Http, signal: AbortSignal): Api => {
  const at = (path: string): URL => {
    const base = place.url("api");
    return new URL(`${base.pathname.replace(/\/$/, "")}/api/v1/${path}`, base);
  };
  const ask = async (url: URL, call: Omit<Call, "url" | "signal">): Promise<Answer> => {
    const answer = await http.call({ ...call, url, signal }).catch((error: unknown) => {
      throw networkFailure(error, url);
    });
    if (answer.status < 200 || answer.status >= 300) throw answerFailure(answer);
    return answer;
  };
  const authorization = (use: KeyUse): string => `Bearer ${place.key(use)}`;
  return {
    call: async <T>(method: string, path: string, use: KeyUse, body?: object): Promise<T> => {
      const url = at(path);
      const headers = {
        authorization: authorization(use),
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      };
      const answer = await ask(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (answer.body === "") return {} as T;
      try {
        return JSON.parse(answer.body) as T;
      } catch {
        throw new Failure(`${url.origin} did not answer in JSON.`, "Is this the address of an Astralog API?");
      }
    },
    upload: async (path, use, body) => {
      const headers = { authorization: authorization(use), "content-type": "application/octet-stream" };
      await ask(at(path), { method: "POST", headers, body });
    },
    download: async (path, use, take, headers = {}) => {
      await ask(at(path), { method: "GET", headers: { ...headers, authorization: authorization(use) }, take });
    },
  };
};

/** All of a list that comes in pages. */
export const listAll = async <T>(api: Api, path: string, member: string, use: KeyUse): Promise<T[]> => {
  const all: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await api.call<Record<string, unknown>>("GET", withQuery(path, { cursor }), use);
    all.push(...(page[member] as T[]));
    if (typeof page.next !== "string") return all;
    cursor = page.next;
  }
};

export interface Member {
  person: string;
  email: string;
  name: string;
  role: string;
  role_name: string | null;
  sources: string[] | null;
  teams: string[];
}

export interface Invitation {
  id: string;
  email: string;
  role: string;
  sources: string[] | null;
  expires_at: string;
}

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

export interface TableAnswer {
  columns: { name: string; type: "time" | "number" | "text" }[];
  rows: (string | number | null)[][];
  truncated: boolean;
  stats: SearchAnswer["stats"];
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
  /** Empty: all that its kind may, all sources. */
  permissions: string[];
  sources: string[];
  last_used_at: string | null;
}

export interface Producer {
  id: string;
  source: string;
  name: string;
  username: string;
  topic: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  rotated_from: string | null;
  /** Why Kafka refuses it for now. */
  paused: "source_disabled" | "over_plan" | "quota_exhausted" | null;
}
