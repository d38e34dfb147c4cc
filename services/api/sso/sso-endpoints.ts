/** An organization's single sign-on: its connections, its domains, and whether it is the only way in. */
import { Fault } from "@astralog/chassis";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { oidcCallback, samlParty } from "./addresses.ts";
import {
  type Connection,
  type ConnectionDeps,
  changeConnection,
  connectionView,
  createConnection,
  deleteConnection,
  findConnection,
  listConnections,
  readCertificates,
  unseal,
} from "./connections.ts";
import { claimDomain, domainView, type FindTexts, listDomains, removeDomain, verifyDomain } from "./domains.ts";
import type { Oidc } from "./oidc.ts";
import { setSsoOnly, ssoOnly } from "./policy.ts";
import { readMetadata } from "./saml-metadata.ts";
import {
  connectionChanges,
  connectionShown,
  domainShown,
  metadataRead,
  metadataSource,
  newConnection,
  newDomain,
  policy,
} from "./sso-shapes.ts";

export interface SsoDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly connections: ConnectionDeps;
  readonly findTexts: FindTexts;
  readonly oidc: Oidc;
  readonly publicUrl: URL;
}

const tag = "single sign-on";
const read = "sso.read" as const;
const write = "sso.write" as const;
const stepUp = true as const;
const soonMs = 30 * 24 * 3_600_000;

export const createSsoEndpoints = (deps: SsoDeps): Endpoint[] => [
  ...connectionEndpoints(deps),
  ...domainEndpoints(deps),
];

const connectionEndpoints = ({ db, audit, connections, oidc, publicUrl }: SsoDeps): Endpoint[] => {
  const view = (row: Connection) => {
    const { entityId, acs, slo } = samlParty(publicUrl, row.id);
    const ours: Record<string, string> =
      row.kind === "oidc"
        ? { redirect_uri: oidcCallback(publicUrl, row.id) }
        : { entity_id: entityId, acs_url: acs, logout_url: slo };
    return { ...connectionView(row), ours };
  };

  const list = endpoint({
    ...{ method: "get", path: "/sso/connections", access: read, tag, summary: "The organization's identity providers" },
    success: { status: 200, body: z.object({ connections: z.array(connectionShown) }) },
    handle: ({ caller }) =>
      withPostgres(async () => ({ connections: (await listConnections(db, caller.tenant)).map(view) })),
  });
  const show = endpoint({
    ...{ method: "get", path: "/sso/connections/:id", access: read, tag, summary: "One identity provider" },
    success: { status: 200, body: connectionShown },
    etag: true,
    handle: ({ caller, params }) => withPostgres(async () => view(await findConnection(db, caller.tenant, params.id))),
  });
  const create = endpoint({
    ...{
      method: "post",
      path: "/sso/connections",
      access: write,
      tag,
      summary: "Connect an identity provider",
      stepUp,
    },
    body: newConnection,
    bodyLimit: "128kb",
    success: { status: 201, body: connectionShown },
    etag: true,
    handle: ({ caller, body, response }) =>
      withPostgres(async () =>
        view(await createConnection(connections, caller.tenant, body, caller, audit.by(response))),
      ),
  });
  const change = endpoint({
    ...{ method: "patch", path: "/sso/connections/:id", access: write, tag, summary: "Change a connection", stepUp },
    body: connectionChanges,
    bodyLimit: "128kb",
    success: { status: 200, body: connectionShown },
    etag: true,
    handle: ({ caller, params, body, response, unchanged }) =>
      withPostgres(async () => {
        const by = audit.by(response);
        const same = (row: Connection) => unchanged(view(row));
        return view(await changeConnection(connections, caller.tenant, params.id, body, caller, by, same));
      }),
  });
  const remove = endpoint({
    ...{ method: "delete", path: "/sso/connections/:id", access: write, tag, summary: "Disconnect a provider", stepUp },
    success: { status: 204 },
    handle: ({ caller, params, response }) =>
      withPostgres(() => deleteConnection(connections, caller.tenant, params.id, audit.by(response))),
  });
  const tested = z.object({ ok: z.boolean(), findings: z.array(z.string()) });
  const test = endpoint({
    ...{
      method: "post",
      path: "/sso/connections/:id/test",
      access: write,
      tag,
      summary: "Try whether a connection could work",
    },
    success: { status: 200, body: tested },
    handle: async ({ caller, params, response }): Promise<z.output<typeof tested>> => {
      const row = await withPostgres(() => findConnection(db, caller.tenant, params.id));
      const one = await withPostgres(() => unseal(db, connections.envelope, row));
      const findings = one.kind === "oidc" ? await tryOidc(oidc, one) : tryCertificates(one.pems);
      const ok = findings.every((finding) => !finding.startsWith("!"));
      const target = { kind: "sso_connection", id: row.id };
      const result = ok ? ("ok" as const) : ("failed" as const);
      await audit.record(response, { action: "sso.connection_tested", target, result });
      return { ok, findings: findings.map((finding) => finding.replace(/^!/, "")) };
    },
  });
  const metadata = endpoint({
    ...{
      method: "post",
      path: "/sso/metadata",
      access: write,
      tag,
      summary: "What a SAML provider's metadata says, for a new connection",
    },
    body: metadataSource,
    bodyLimit: "384kb",
    success: { status: 200, body: metadataRead },
    handle: async ({ body }) => readMetadata("xml" in body ? body.xml : await fetchMetadata(connections, body.url)),
  });
  return [list, show, create, change, remove, test, metadata];
};

/** Faults: `address_refused`, `provider_failed`. */
const fetchMetadata = async ({ outgoing }: ConnectionDeps, url: string): Promise<string> => {
  const failed = (cause?: unknown): Fault =>
    new Fault("provider_failed", "url does not answer with metadata. Open it yourself, and paste what it shows.", {
      cause,
    });
  try {
    const answer = await outgoing.fetch(url, { headers: { accept: "application/samlmetadata+xml, text/xml" } });
    if (answer.status === 200) return await answer.text();
  } catch (error) {
    throw error instanceof Fault && error.code === "address_failed" ? failed(error) : error;
  }
  throw failed();
};

type Opened = Parameters<Oidc["test"]>[0];

const tryOidc = async (oidc: Oidc, one: Opened): Promise<string[]> => {
  try {
    const { issuer, keys } = await oidc.test(one);
    return [`${issuer} publishes its addresses, takes PKCE, and signs with ${keys} key${keys === 1 ? "" : "s"}.`];
  } catch (error) {
    if (error instanceof Fault) return [`!${error.message}`];
    throw error;
  }
};

const tryCertificates = (pems: readonly string[]): string[] =>
  readCertificates(pems).map(({ validToDate: end, subject }) => {
    const whose = subject?.split("\n").at(-1) ?? "A certificate";
    const day = end.toISOString().slice(0, 10);
    if (end.getTime() < Date.now()) return `!${whose} ended on ${day}.`;
    return end.getTime() < Date.now() + soonMs ? `${whose} ends soon, on ${day}.` : `${whose} is good until ${day}.`;
  });

const domainEndpoints = ({ db, audit, findTexts }: SsoDeps): Endpoint[] => {
  const list = endpoint({
    ...{ method: "get", path: "/sso/domains", access: read, tag, summary: "The domains the organization claims" },
    success: { status: 200, body: z.object({ domains: z.array(domainShown) }) },
    handle: ({ caller }) =>
      withPostgres(async () => ({ domains: (await listDomains(db, caller.tenant)).map(domainView) })),
  });
  const claim = endpoint({
    ...{ method: "post", path: "/sso/domains", access: write, tag, summary: "Claim a domain", stepUp },
    body: newDomain,
    success: { status: 201, body: domainShown },
    handle: ({ caller, body, response }) =>
      withPostgres(async () => domainView(await claimDomain(db, caller.tenant, body.domain, audit.by(response)))),
  });
  const verify = endpoint({
    ...{
      method: "post",
      path: "/sso/domains/:id/verify",
      access: write,
      tag,
      summary: "Have DNS prove a domain",
      stepUp,
    },
    success: { status: 200, body: domainShown },
    handle: ({ caller, params, response }) =>
      withPostgres(async () =>
        domainView(await verifyDomain(db, findTexts, caller.tenant, params.id, audit.by(response))),
      ),
  });
  const remove = endpoint({
    ...{ method: "delete", path: "/sso/domains/:id", access: write, tag, summary: "Give up a domain", stepUp },
    success: { status: 204 },
    handle: ({ caller, params, response }) =>
      withPostgres(() => removeDomain(db, caller.tenant, params.id, audit.by(response))),
  });
  const rule = endpoint({
    ...{ method: "get", path: "/sso/policy", access: read, tag, summary: "Whether single sign-on is the only way in" },
    success: { status: 200, body: policy },
    handle: ({ caller }) => withPostgres(async () => ({ sso_only: await ssoOnly(db, caller.tenant) })),
  });
  const setRule = endpoint({
    ...{
      method: "put",
      path: "/sso/policy",
      access: write,
      tag,
      summary: "Make single sign-on the only way in, or not",
      stepUp,
    },
    body: policy,
    success: { status: 200, body: policy },
    handle: ({ caller, body, response }) =>
      withPostgres(async () => ({ sso_only: await setSsoOnly(db, caller.tenant, body.sso_only, audit.by(response)) })),
  });
  return [list, claim, verify, remove, rule, setRule];
};
