/**
 * A bucket over the S3 protocol, below one folder of it. Addresses are judged as webhooks' are (outgoing.ts); what a server
 * says in words is shown to nobody, its codes are.
 */
import type { StorageKeys, StorageSettings } from "@astralog/schemas/storage";
import { Fault } from "../fault.ts";
import type { Outgoing } from "../outgoing.ts";
import type { KeySource } from "./role.ts";
import { dialects, encodedPath, encodedQuery, sign } from "./sign.ts";

export interface Listed {
  /** Below the folder. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly modified: number;
}

/** Each rejects with a Fault: `storage_refused` with the server's code, or `storage_failed` (retriable). */
export interface Bucket {
  /** False where an object of that name was there: it is left as it is. Of two at a time one makes it. */
  putNew(name: string, body: Buffer): Promise<boolean>;
  get(name: string): Promise<Buffer | undefined>;
  /** Its bytes from the `first` to the `last`, both included, as far as there are so many. */
  getRange(name: string, first: number, last: number): Promise<Buffer | undefined>;
  /** In order of their names, up to 1,000; `after` leaves out what is at or before it. */
  list(prefix: string, options?: { after?: string; most?: number }): Promise<Listed[]>;
  remove(name: string): Promise<void>;
}

export interface BucketOptions {
  readonly settings: StorageSettings;
  readonly keys: StorageKeys | KeySource;
  /** Begins every name: the connection's prefix and what is below. */
  readonly folder: string;
  readonly outgoing: Pick<Outgoing, "fetch">;
  readonly timeoutMs?: number;
}

/** Larger objects are not written here. */
const mostBytes = 512 * 2 ** 20;
const standardTimeoutMs = 60_000;

const textOf = (xml: string, tag: string): string => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? "";

export const createBucket = ({ settings, keys, folder, outgoing, timeoutMs }: BucketOptions): Bucket => {
  const { endpoint, bucket, region, kind } = settings;
  const dialect = kind === "gcs" ? dialects.google : dialects.aws;
  const encryption: Record<string, string> =
    settings.encryption === "bucket" || kind === "gcs"
      ? {}
      : {
          "x-amz-server-side-encryption": settings.encryption,
          ...(settings.kms_key === "" ? {} : { "x-amz-server-side-encryption-aws-kms-key-id": settings.kms_key }),
        };
  const ifNew: Record<string, string> =
    kind === "gcs" ? { "x-goog-if-generation-match": "0" } : { "if-none-match": "*" };

  const ask = async (
    method: string,
    path: string,
    {
      query = {},
      headers = {},
      body = Buffer.alloc(0),
    }: { query?: Record<string, string>; headers?: Record<string, string>; body?: Buffer } = {},
  ): Promise<Response> => {
    const search = encodedQuery(query);
    const url = new URL(`${endpoint}${encodedPath(`/${bucket}${path}`)}${search === "" ? "" : `?${search}`}`);
    const signed = sign({ method, url, headers, body }, typeof keys === "function" ? await keys() : keys, {
      region,
      dialect,
      now: new Date(),
    });
    try {
      return await outgoing.fetch(url.href, {
        ...{ method, headers: signed, mostBytes, timeoutMs: timeoutMs ?? standardTimeoutMs },
        ...(body.length > 0 ? { body } : {}),
      });
    } catch (error) {
      if (error instanceof Fault && error.code === "address_refused") throw error;
      throw new Fault("storage_failed", "The bucket's server does not answer.", { retriable: true, cause: error });
    }
  };

  const refusal = async (what: string, response: Response): Promise<Fault> => {
    const code =
      textOf(await response.text(), "Code")
        .replace(/\W/g, "")
        .slice(0, 60) || String(response.status);
    const passes = response.status >= 500 || response.status === 429 || response.status === 408;
    return passes
      ? new Fault("storage_failed", `The bucket's server could not ${what}: ${code}.`, { retriable: true })
      : new Fault("storage_refused", `The bucket's server refused to ${what}: ${code}.`);
  };

  const nameOf = (name: string): string => `/${folder}${name}`;

  const get = async (name: string, headers: Record<string, string>): Promise<Buffer | undefined> => {
    const response = await ask("GET", nameOf(name), { headers });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    const fault = await refusal("get an object", response);
    if (response.status === 404 && !fault.message.includes("NoSuchBucket")) return undefined;
    throw fault;
  };

  return {
    putNew: async (name, body) => {
      const headers = { ...encryption, ...ifNew, "content-type": "application/octet-stream" };
      const response = await ask("PUT", nameOf(name), { headers, body });
      if (response.ok) return true;
      if (response.status === 412) return false;
      // Somebody writes it at this very moment; who of both has won shows the next try.
      if (response.status === 409)
        throw new Fault("storage_failed", "The object is being written by another.", { retriable: true });
      throw await refusal("put an object", response);
    },
    get: (name) => get(name, {}),
    getRange: (name, first, last) => get(name, { range: `bytes=${first}-${last}` }),
    list: async (prefix, { after, most = 1_000 } = {}) => {
      const response = await ask("GET", "", {
        query: {
          ...{ "list-type": "2", "encoding-type": "url", "max-keys": String(most), prefix: folder + prefix },
          ...(after === undefined ? {} : { "start-after": folder + after }),
        },
      });
      if (!response.ok) throw await refusal("list objects", response);
      const text = await response.text();
      return [...text.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, one = ""]) => ({
        name: decodeURIComponent(textOf(one, "Key").replaceAll("+", " ")).slice(folder.length),
        bytes: Number(textOf(one, "Size")),
        modified: Date.parse(textOf(one, "LastModified")),
      }));
    },
    remove: async (name) => {
      const response = await ask("DELETE", nameOf(name));
      if (!response.ok && response.status !== 404) throw await refusal("delete an object", response);
    },
  };
};
