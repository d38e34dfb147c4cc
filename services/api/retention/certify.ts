/** Ends deletions: once every place was looked through and found empty, what was removed is listed, and the list signed. */
import type { Log } from "@astralog/chassis";
import type { AuditSigner } from "@astralog/schemas";
import {
  type CertificateBody,
  type CertifiedPlace,
  createMerkle,
  places,
  removedLine,
  signCertificate,
} from "@astralog/schemas/retention/index";
import { bySystem } from "../audit/audit-trail.ts";
import type { Db } from "../postgres.ts";
import { blankQuotes, countQuotes } from "./alert-quotes.ts";
import type { DeletionQueries, DeletionStep } from "./deletion-queries.ts";
import { certify, type DeletionRow, openDeletions, releaseOld, scopeOfRow } from "./deletions.ts";

export interface CertifyDeps {
  readonly db: Db;
  readonly queries: DeletionQueries;
  readonly signer: AuditSigner;
  readonly log: Log;
}

const instant = (nanos: string | null): string =>
  nanos === null ? "" : new Date(Number(BigInt(nanos) / 1_000_000n)).toISOString();

const placesOf = (steps: readonly DeletionStep[], alerts: CertifiedPlace): CertifiedPlace[] | undefined => {
  const found = places.map((place): CertifiedPlace | undefined => {
    if (place === "alerts") return alerts;
    const step = steps.find((one) => one.place === place);
    if (step?.state !== "done") return undefined;
    return { place, removed: step.removed, found: step.found, looked_at: step.at, detail: step.detail };
  });
  return found.every((one) => one !== undefined) ? found : undefined;
};

/** Goes through what is open. A deletion whose certificate cannot be made now is tried again the next time. */
export const createCertify = ({ db, queries, signer, log }: CertifyDeps) => {
  const finish = async (row: DeletionRow): Promise<void> => {
    const steps = (await queries.steps(row.tenant)).get(row.id) ?? [];
    const none = { place: "alerts", removed: 0, found: 0, looked_at: "", detail: "" } as const;
    if (placesOf(steps, none) === undefined) return;
    const removed = await blankQuotes(db, row.tenant, row.created_at);
    const found = await countQuotes(db, row.tenant, row.created_at);
    if (found > 0) return;
    const detail = "what alerts quoted of events before the cut, whatever it was; what they said of it stays";
    const looked = placesOf(steps, { ...none, removed, looked_at: new Date().toISOString(), detail });
    if (looked === undefined) return;
    const tree = createMerkle();
    for await (const record of queries.removed(row)) tree.add(removedLine(record));
    const { kind, sources, query, from, to, names } = scopeOfRow(row);
    const body: CertificateBody = {
      ...{ v: 1, id: row.id, tenant: row.tenant, kind, query, from: instant(from), to: instant(to) },
      sources: sources.map((id) => ({ id, name: names[id] ?? "" })),
      received_before: row.created_at.toISOString(),
      ...{ reason: row.reason, requested_by: row.requested_by, issued_at: new Date().toISOString() },
      ...{ places: looked, merkle: { root: tree.root(), leaves: tree.leaves } },
    };
    if (await certify(db, row, signCertificate(signer, body), bySystem(signer)))
      log.info({ deletion: row.id, tenant: row.tenant }, "a deletion is certified");
  };
  return async (): Promise<void> => {
    for (const row of await openDeletions(db))
      await finish(row).catch((err: unknown) =>
        log.warn({ err, deletion: row.id }, "a deletion cannot be certified yet"),
      );
    await releaseOld(db);
  };
};
