/**
 * Keys that a connection's objects are encrypted under before they leave us. The first is the present one; those before it
 * are kept for as long as the connection is, for objects name them that nobody writes again.
 */
import { Fault } from "@astralog/chassis";
import { clientKeyId, newClientKey, readClientKey } from "@astralog/schemas/encrypted-object";
import type { ClientKey } from "@astralog/schemas/postgres";
import type { Db, Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import type { ConnectionRow } from "./connection-rows.ts";

const mostKeys = 50;
const placeOf = (tenant: string) => ({ owner: tenant, column: "storage_connections.client_keys" });

export type KeyColumns = Pick<ConnectionRow, "tenant" | "client_keys" | "client_key_ids">;

/** Base64; empty: objects go as they are. Faults: `sealed_unreadable`. */
export const readClientKeys = async (
  envelope: Envelope,
  of: Db | Trx,
  { tenant, client_keys: sealed }: KeyColumns,
): Promise<string[]> =>
  sealed === "" ? [] : (JSON.parse(await envelope.open(of, placeOf(tenant), sealed)) as string[]);

export interface NewClientKey {
  readonly key: string;
  readonly known: ClientKey;
  /** What is to be told once, for nobody has it but us. */
  readonly shown: string | undefined;
}

/** The one that was given, or one that is made here. */
export const makeClientKey = (given: string | undefined): NewClientKey => {
  const bytes = given === undefined ? newClientKey() : readClientKey(given);
  if (bytes === undefined) throw new Fault("invalid_request", "client_key: must be 32 bytes in base64.");
  const key = bytes.toString("base64");
  const known = { id: clientKeyId(bytes), given: given !== undefined, created_at: new Date().toISOString() };
  return { key, known, shown: given === undefined ? key : undefined };
};

/** What stands in the row when that is the present key. Faults: `invalid_request`, `too_many`. */
export const withClientKey = async (
  envelope: Envelope,
  trx: Trx,
  before: KeyColumns,
  { key, known }: NewClientKey,
): Promise<{ client_keys: string; client_key_ids: string }> => {
  const keys = await readClientKeys(envelope, trx, before);
  if (keys.includes(key))
    throw new Fault("invalid_request", "client_key: it is or was this connection's already; give another, or none.");
  if (keys.length >= mostKeys) throw new Fault("too_many", `A connection has ${mostKeys} client keys at most.`);
  return {
    client_keys: await envelope.seal(trx, placeOf(before.tenant), JSON.stringify([key, ...keys])),
    client_key_ids: JSON.stringify([known, ...before.client_key_ids]),
  };
};
