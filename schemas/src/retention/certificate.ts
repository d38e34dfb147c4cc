/**
 * The certificate that ends a deletion, and the list it stands for. It is signed like the audit trail's heads, with the
 * same key, and can be checked with nothing but itself and that key; with the list also that the list is the one.
 */
import { canonicalJson, type Json } from "../audit.ts";
import { type AuditSigner, isSealed } from "../audit-head.ts";
import type { DeletionKind, PlaceName } from "./deletion.ts";
import { createMerkle } from "./merkle.ts";

export interface CertifiedPlace {
  readonly place: PlaceName;
  /** Events, letters or quotes that were removed there. */
  readonly removed: number;
  /** What the look after removal found: 0. */
  readonly found: number;
  /** RFC 3339: when it was looked. */
  readonly looked_at: string;
  readonly detail: string;
}

export interface CertificateBody {
  readonly v: 1;
  readonly id: string;
  readonly tenant: string;
  readonly kind: DeletionKind;
  /** Empty is all of the organization. */
  readonly sources: readonly { readonly id: string; readonly name: string }[];
  readonly query: string;
  /** Of the events' own time, RFC 3339; empty is open. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339: what was received before is deleted. */
  readonly received_before: string;
  readonly reason: string;
  readonly requested_by: string;
  readonly issued_at: string;
  readonly places: readonly CertifiedPlace[];
  /** Over the lines of the list of what was removed. */
  readonly merkle: { readonly root: string; readonly leaves: number };
}

export interface Certificate extends CertificateBody {
  readonly key_id: string;
  readonly public_key: string;
  readonly signature: string;
}

/** One record of the ledger, and which of its events were removed. */
export interface RemovedRecord {
  readonly place: "events" | "buckets" | "clickhouse" | "dead_letters";
  readonly source: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly events: number;
  /** Of the indexes in ascending order as [0,1,2], hex. A letter's are one more than they were. */
  readonly indexes_sha256: string;
}

const seal = "deletion-certificate";

export const removedLine = (record: RemovedRecord): string => canonicalJson(record as unknown as Json);

export const signCertificate = (signer: AuditSigner, body: CertificateBody): Certificate =>
  signer.seal(seal, body as unknown as { readonly [name: string]: Json }) as unknown as Certificate;

export interface CertificateVerdict {
  /** Empty when it holds. */
  readonly problems: readonly string[];
}

/** Whether it is signed by the key of `publicKey`, says what a certificate must, and stands for `lines` when given. */
export const checkCertificate = (
  certificate: Certificate,
  { publicKey, lines }: { publicKey: string; lines?: Iterable<string> },
): CertificateVerdict => {
  const problems: string[] = [];
  if (!isSealed(seal, certificate as unknown as { readonly [name: string]: Json }, publicKey))
    problems.push("it is not signed by this key, or was changed since");
  for (const { place, found } of certificate.places ?? [])
    if (found !== 0) problems.push(`${place}: ${found} were still found there`);
  if (lines !== undefined) {
    const tree = createMerkle();
    for (const line of lines) if (line !== "") tree.add(line);
    if (tree.leaves !== certificate.merkle?.leaves || tree.root() !== certificate.merkle.root)
      problems.push("the list of what was removed is not the one it was issued for");
  }
  return { problems };
};
