/**
 * Who asks. Keys come from the control table alone, so that the api answers searches without Postgres and a revoked key
 * stops within a second. A key is never logged; refusals do not tell an unknown key from an ended one.
 */
import type { ControlTable } from "@astralog/chassis";
import { Fault, isAllowed } from "@astralog/chassis";
import { hashKey, type KeyKind, type KeyRecord, keyKind } from "@astralog/schemas";
import type { Request, RequestHandler, Response } from "express";

export interface Caller {
  readonly tenant: string;
  readonly keyId: string;
  readonly kind: KeyKind;
}

/** A refusal's key when it is a known one, and why it was refused. */
export interface Refusal {
  readonly key?: Pick<Caller, "tenant" | "keyId">;
  readonly reason: string;
}

export const callerOf = (response: Response): Caller => {
  const { caller } = response.locals;
  if (caller === undefined) throw new Error("a route was reached without a caller");
  return caller as Caller;
};

type Refused = (response: Response, refusal: Refusal) => void;

/** Sets the caller, or throws. `refused` hears why, which the caller does not. Faults: `starting`, `unauthorized`. */
export const createAuthenticate =
  (keys: Pick<ControlTable<KeyRecord>, "get" | "complete">, refused: Refused = () => {}): RequestHandler =>
  (request, response, next) => {
    if (!keys.complete) throw new Fault("starting", "The keys are still being read.", { retriable: true });
    const { tenant, id, kind } = find(keys, request, (refusal) => refused(response, refusal));
    response.locals.caller = { tenant, keyId: id, kind } satisfies Caller;
    next();
  };

const bearer = /^Bearer +(\S{1,128})$/i;

const find = (
  keys: Pick<ControlTable<KeyRecord>, "get">,
  request: Request,
  refuse: (refusal: Refusal) => void,
): KeyRecord => {
  const stop = (refusal: Refusal, message: string): never => {
    refuse(refusal);
    throw new Fault("unauthorized", message);
  };
  const key = bearer.exec(request.headers.authorization ?? "")?.[1];
  if (key === undefined) return stop({ reason: "no key" }, "Send the header Authorization: Bearer <key>.");
  if (keyKind(key) === undefined)
    return stop({ reason: "not a key" }, "This is no key: its form or checksum is wrong.");
  const record = keys.get(hashKey(key));
  const reason = record === undefined ? "unknown key" : endOf(record, request.ip ?? "");
  if (record !== undefined && reason === undefined) return record;
  const known = record === undefined ? {} : { key: { tenant: record.tenant, keyId: record.id } };
  return stop({ ...known, reason: reason ?? "" }, "The key is unknown, has ended, or may not be used from here.");
};

/** Why a known key may not be used, or undefined when it may. */
const endOf = (record: KeyRecord, address: string): string | undefined => {
  if (record.revoked_at !== 0n) return "revoked key";
  if (record.expires_at !== 0n && record.expires_at <= BigInt(Date.now())) return "expired key";
  return isAllowed(address, record.ip_allowlist) ? undefined : "address not allowed";
};
