/**
 * Domains that an organization has shown to be its own, by a TXT record that only who runs the domain can write. Anybody
 * may claim a domain, which means nothing; one organization at a time has it. Its identity provider, its directory and
 * its rule "single sign-on only" reach no farther than the addresses of these domains.
 */
import { Resolver } from "node:dns/promises";
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { DomainTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { type Db, isUniqueViolation, type Trx } from "../postgres.ts";

export type Domain = Selectable<DomainTable>;
/** The texts of a name's TXT records; none where there is no such name. */
export type FindTexts = (name: string) => Promise<readonly string[]>;

const most = 100;
const recordName = (domain: string) => `_astralog-challenge.${domain}`;
const recordValue = (token: string) => `astralog-domain-verification=${token}`;
const missing = (): Fault => new Fault("not_found", "There is no such domain.");
const target = (id: string) => ({ kind: "domain", id });

/** `servers` as `address` or `address:port`; the machine's own without any. */
export const createFindTexts = (servers: readonly string[]): FindTexts => {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  if (servers.length > 0) resolver.setServers([...servers]);
  return async (name) => {
    try {
      return (await resolver.resolveTxt(name)).map((pieces) => pieces.join(""));
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "ENOTFOUND" || code === "ENODATA") return [];
      throw new Fault("dns_unavailable", "DNS does not answer now; try again later.", {
        retriable: true,
        cause: error,
      });
    }
  };
};

export const domainView = ({ id, domain, token, verified_at, created_at }: Domain) => ({
  ...{ id, domain, verified_at, created_at },
  record: { type: "TXT" as const, name: recordName(domain), value: recordValue(token) },
});

export const listDomains = (db: Db | Trx, tenant: string): Promise<Domain[]> =>
  db.selectFrom("domains").selectAll().where("tenant", "=", tenant).orderBy("domain").execute();

export const verifiedDomains = async (db: Db | Trx, tenant: string): Promise<ReadonlySet<string>> =>
  new Set((await listDomains(db, tenant)).flatMap(({ domain, verified_at: at }) => (at === null ? [] : [domain])));

/** Faults: `name_taken`, `too_many`. */
export const claimDomain = (db: Db, tenant: string, domain: string, by: By): Promise<Domain> =>
  db.transaction().execute(async (trx) => {
    const claimed = await listDomains(trx, tenant);
    if (claimed.some((one) => one.domain === domain)) throw new Fault("name_taken", `${domain} is claimed already.`);
    if (claimed.length >= most) throw new Fault("too_many", `An organization may claim ${most} domains.`);
    const row = await trx
      .insertInto("domains")
      .values({ id: `dom_${randomBase62(12)}`, tenant, domain, token: randomBase62(32), verified_at: null })
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordAct(trx, by, { tenant, action: "sso.domain_claimed", target: target(row.id), details: { domain } });
    return row;
  });

/**
 * Asks DNS. An organization whose record is gone loses a domain to the one whose record is there now.
 * Faults: `not_found`, `domain_unproven`, `domain_taken`, `dns_unavailable`.
 */
export const verifyDomain = async (
  db: Db,
  findTexts: FindTexts,
  tenant: string,
  id: string,
  by: By,
): Promise<Domain> => {
  const claim = await db
    .selectFrom("domains")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (claim === undefined) throw missing();
  const { domain, token } = claim;
  const texts = await findTexts(recordName(domain));
  if (!texts.includes(recordValue(token))) {
    throw new Fault(
      "domain_unproven",
      `DNS has no TXT record ${recordName(domain)} with the value shown; it may take a while to appear.`,
    );
  }
  const taken = new Fault("domain_taken", "Another organization has proven this domain and its record is still there.");
  try {
    return await db.transaction().execute(async (trx) => {
      const holder = await trx
        .selectFrom("domains")
        .selectAll()
        .where("domain", "=", domain)
        .where("verified_at", "is not", null)
        .where("tenant", "!=", tenant)
        .forUpdate()
        .executeTakeFirst();
      if (holder !== undefined) {
        if (texts.includes(recordValue(holder.token))) throw taken;
        await trx.updateTable("domains").set({ verified_at: null }).where("id", "=", holder.id).execute();
        await recordAct(trx, by, {
          ...{ tenant: holder.tenant, action: "sso.domain_removed", target: target(holder.id) },
          details: { domain, reason: "another organization runs its DNS now" },
        });
      }
      const row = await trx
        .updateTable("domains")
        .set({ verified_at: new Date() })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await recordAct(trx, by, { tenant, action: "sso.domain_verified", target: target(id), details: { domain } });
      return row;
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw taken;
    throw error;
  }
};

/** Faults: `not_found`. */
export const removeDomain = (db: Db, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const row = await trx
      .deleteFrom("domains")
      .where("tenant", "=", tenant)
      .where("id", "=", id)
      .returning("domain")
      .executeTakeFirst();
    if (row === undefined) throw missing();
    const details = { domain: row.domain };
    await recordAct(trx, by, { tenant, action: "sso.domain_removed", target: target(id), details });
  });
