/** SAML in a real api: signing in by a provider's signed answer, reading its metadata, signing out with it. */

import { createSign } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  type LogoutProvider,
  postBinding,
  redirectBinding,
  samlAnswer,
  samlKeys,
  startLogoutProvider,
} from "./saml.driver.ts";
import { type Browser, whoIs as me, type SsoPlatform, startSsoPlatform } from "./sso-platform.driver.ts";

const issuer = "https://idp.example/saml";
let all: SsoPlatform;
let idp: LogoutProvider;
beforeAll(async () => {
  all = await startSsoPlatform();
  idp = await startLogoutProvider({ ...all.saml, issuer });
  const { owner, dns } = all;
  const { id, record } = (await owner.post("/sso/domains", { domain: "corp.example" })).body;
  dns.texts.set(record.name, record.value);
  await owner.post(`/sso/domains/${id}/verify`);
});
afterAll(async () => {
  await all?.stop();
  idp?.close();
});
const browser: SsoPlatform["browser"] = (from) => all.browser(from);
interface Connected {
  readonly id: string;
  readonly ours: Readonly<Record<string, string>>;
}
const connect = async (body: Record<string, unknown>): Promise<Connected> => {
  const answer = await all.owner.post("/sso/connections", body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return answer.body;
};

const begin = async (here: Browser, id: string, to = "/"): Promise<string> => {
  const { location = "" } = await here.ask(`/api/v1/auth/sso/${id}?return_to=${to}`);
  const asked = inflateRawSync(Buffer.from(new URL(location).searchParams.get("SAMLRequest") ?? "", "base64"));
  return / ID="([^"]+)"/.exec(asked.toString())?.[1] ?? "";
};

test("a SAML provider: its signed answer to our request, once, for the browser that asked", async () => {
  const { api, owner, saml, origin } = all;
  const { id, ours } = await connect({
    ...{ kind: "saml", name: "Corp SAML", issuer, entry_point: "https://idp.example/sso", certificates: [saml.cert] },
  });
  expect((await owner.post(`/sso/connections/${id}/test`)).body.ok).toBe(true);
  const metadata = await fetch(`${api.url}/api/v1/auth/saml/${id}/metadata`);
  expect(await metadata.text()).toContain(`Location="${ours.acs_url}"`);
  const answer = (
    inResponseTo: string,
    more: Record<string, string> = {},
    user = { id: "cy", email: "cy@corp.example" },
  ) =>
    samlAnswer(
      {
        ...{ ...saml, issuer, inResponseTo, audience: ours.entity_id ?? "", recipient: ours.acs_url ?? "" },
        ...{ destination: ours.acs_url ?? "", ...more },
      },
      user,
    );
  const post = (here: Browser, xml: string) =>
    here.ask(ours.acs_url ?? "", { SAMLResponse: Buffer.from(xml).toString("base64"), RelayState: "//evil.example" });

  const here = browser();
  const xml = await answer(await begin(here, id, "/explore"));
  // Whoever posts it gets where it may be fetched, and only the browser that began may.
  const { location = "" } = await post(browser(), xml);
  expect(location).toMatch(/\/finish\?request=ssr_/);
  expect((await post(browser(), xml)).location).toBe("/sign-in?problem=sign_in_ended");
  const thief = browser();
  expect((await thief.ask(location)).location).toBe("/sign-in?problem=sign_in_ended");
  expect((await here.ask(location)).location).toBe("/sign-in?problem=sign_in_ended");

  const again = browser();
  const good = await answer(await begin(again, id, "/explore"));
  const second = (await post(again, good)).location ?? "";
  expect((await again.ask(second)).location).toBe("/explore");
  expect(await me(again)).toMatchObject({ email: "cy@corp.example", organizations: [{ role: "read-only" }] });
  expect((await again.ask(second)).location).toBe("/sign-in?problem=sign_in_ended");

  const refused = async (xmlOf: (requestId: string) => Promise<string>) => {
    const there = browser();
    const { location: to } = await post(there, await xmlOf(await begin(there, id)));
    return to?.startsWith("/api/") === true ? (await there.ask(to)).location : to;
  };
  const wrong: Record<string, (requestId: string) => Promise<string>> = {
    "begun at the provider": async (request) => (await answer(request)).replace(/ InResponseTo="[^"]*"/g, ""),
    "another request of ours": async () => answer(await begin(browser(), id), { inResponseTo: "_unknown" }),
    "another recipient": (request) => answer(request, { recipient: `${origin}/api/v1/auth/saml/sso_other/acs` }),
    "another audience": (request) => answer(request, { audience: "https://else.example" }),
    "SHA-1": (request) => answer(request, { signatureAlgorithm: "rsa-sha1", digestAlgorithm: "sha1" }),
    "another's key": (request) => answer(request, samlKeys()),
    "another's domain": (request) => answer(request, {}, { id: "cy2", email: "root@victim.example" }),
  };
  for (const [name, xmlOf] of Object.entries(wrong))
    expect([name, await refused(xmlOf)]).toEqual([
      name,
      expect.stringMatching(/^\/sign-in\?problem=(saml_refused|sign_in_ended|sign_in_refused)$/),
    ]);
});

test("a provider's metadata, pasted or by its address, says what a connection takes", async () => {
  const { owner, saml, api } = all;
  const read = (body: object) => owner.post("/sso/metadata", body);
  const { status, body } = await read({ url: `${idp.url}/metadata` });
  expect([status, body]).toEqual([
    200,
    { issuer, entry_point: `${idp.url}/sso`, logout_url: `${idp.url}/logout`, certificates: [expect.any(String)] },
  ]);
  expect(body.certificates[0].replace(/\s/g, "")).toBe(saml.cert.replace(/\s/g, ""));
  const xml = await (await fetch(`${idp.url}/metadata`)).text();
  expect((await read({ xml: `\uFEFF<!-- by hand -->${xml.replace(/^\uFEFF/, "")}` })).body).toEqual(body);
  for (const url of ["https://169.254.169.254/metadata", "https://10.0.0.1/metadata", "https://2130706433/"])
    expect([url, (await read({ url })).body.code]).toEqual([url, "address_refused"]);
  expect((await read({ url: `${idp.url}/nothing` })).body.code).toBe("provider_failed");
  const wrong = {
    "a document type": `<!DOCTYPE a [<!ENTITY b "c">]>${xml.replace(/^<\?xml[^>]*>/, "")}`,
    "ours, which is no provider's": (await (await fetch(`${api.url}/api/v1/openapi.json`)).text()).slice(0, 50_000),
    "no certificate": xml.replace(/<KeyDescriptor[\s\S]*?<\/KeyDescriptor>/g, ""),
    "another binding alone": xml.replaceAll("HTTP-Redirect", "HTTP-Artifact"),
  };
  for (const [name, text] of Object.entries(wrong))
    expect([name, (await read({ xml: text })).body.code]).toEqual([
      name,
      expect.stringMatching(/^(invalid_request|xml_refused)$/),
    ]);
});

const signIn = async ({ id, ours }: Connected, name: string, sessionIndex: string): Promise<Browser> => {
  const here = browser();
  const xml = await samlAnswer(
    {
      ...{ ...all.saml, issuer, inResponseTo: await begin(here, id), sessionIndex },
      ...{ audience: ours.entity_id ?? "", recipient: ours.acs_url ?? "", destination: ours.acs_url ?? "" },
    },
    { id: name, email: `${name}@corp.example` },
  );
  const { location = "" } = await here.ask(ours.acs_url ?? "", { SAMLResponse: Buffer.from(xml).toString("base64") });
  expect((await here.ask(location)).location).toBe("/");
  return here;
};
const isIn = async ({ visitor }: Browser) => (await visitor.get("/me")).status === 200;

test("single logout: who signs out here is signed out there, and the other way round, by signed messages alone", async () => {
  const { api, saml, db } = all;
  const connection = await connect({
    ...{ kind: "saml", name: "Logout", issuer, entry_point: "https://idp.example/sso", certificates: [saml.cert] },
    logout_url: `https://idp.example/logout`,
  });
  // The provider of the test has no certificate of its own for TLS.
  await db
    .updateTable("sso_connections")
    .set({ logout_url: `${idp.url}/logout` })
    .where("id", "=", connection.id)
    .execute();
  const slo = connection.ours.logout_url ?? "";
  const ours = await (await fetch(`${api.url}/api/v1/auth/saml/${connection.id}/metadata`)).text();
  expect(ours.match(/<SingleLogoutService [^>]*>/g)?.length).toBe(2);
  const certificate = /X509Certificate>([^<]+)</.exec(ours)?.[1] ?? "";
  const cert = `-----BEGIN CERTIFICATE-----\n${certificate.match(/.{1,64}/g)?.join("\n")}\n-----END CERTIFICATE-----`;
  const enrol = async (name: string, sessionIndex: string, binding = redirectBinding): Promise<Browser> => {
    const here = await signIn(connection, name, sessionIndex);
    const row = await db
      .selectFrom("saml_sessions")
      .selectAll()
      .where("session_index", "=", sessionIndex)
      .executeTakeFirstOrThrow();
    idp.sessions.push({
      ...{ serviceProviderId: connection.ours.entity_id ?? "", serviceProviderLogoutURL: slo, cert, binding },
      ...{ sessionIndex, nameId: row.name_id, nameIdFormat: row.name_id_format },
    });
    return here;
  };

  // Begun here: the provider checks our signature, ends its session and sends the browser back.
  const first = await enrol("one", "_s1");
  const elsewhere = await signIn(connection, "one", "_s2");
  const { redirect } = (await first.visitor.post("/auth/sign-out")).body as { redirect: string };
  expect(redirect).toMatch(new RegExp(`^${idp.url}/logout\\?.*Signature=`));
  expect(await isIn(first)).toBe(false);
  expect(await isIn(elsewhere)).toBe(true);
  expect(await first.walk(redirect)).toBe("/sign-in");
  expect(idp.sessions).toEqual([]);
  // Who came in by mail has no provider to tell.
  expect((await browser().visitor.post("/auth/sign-out")).body).toEqual({ redirect: null });

  // Begun there, by an address: that session ends and no other; our signed answer satisfies the provider.
  const second = await enrol("two", "_s3");
  const other = await signIn(connection, "two", "_s4");
  const there = browser();
  const asked = (await there.ask(`${idp.url}/logout`)).location ?? "";
  const answered = (await there.ask(asked)).location ?? "";
  expect([await isIn(second), await isIn(other)]).toEqual([false, true]);
  expect((await there.ask(answered)).status).toBe(200);
  expect(idp.sessions).toEqual([]);
  expect(
    await db
      .selectFrom("audit_events")
      .select(["actor_kind", "details"])
      .where("action", "=", "session.ended")
      .execute(),
  ).toContainEqual({
    actor_kind: "system",
    details: JSON.stringify({ connection: connection.id }),
  });

  // By a form.
  const third = await enrol("three", "_s5", postBinding);
  const page = (await there.ask(`${idp.url}/logout`)).text;
  const posted = /name="SAMLRequest"\s+value="([^"]+)"/.exec(page)?.[1] ?? "";
  expect(posted).not.toBe("");
  const xml = Buffer.from(posted, "base64").toString();
  const forged = (text: string) => there.ask(slo, { SAMLRequest: Buffer.from(text).toString("base64") });
  const refusal = "/sign-in?problem=saml_refused";
  const unsigned = xml.replace(/<((?:\w+:)?)Signature[\s\S]*<\/\1Signature>/, "");
  for (const text of [unsigned, xml.replace("_s5", "_s4"), xml.replace(/ ID="_?/, ' ID="_x')])
    expect((await forged(text)).location).toBe(refusal);
  expect(await isIn(third)).toBe(true);
  expect((await there.ask(slo, { SAMLRequest: posted })).location).toMatch(/SAMLResponse=.*Signature=/);
  expect(await isIn(third)).toBe(false);
  expect((await there.ask(slo, { SAMLRequest: posted })).location).toBe(refusal);

  // Made up: what is not signed by the provider, for us and now ends nothing.
  const victim = await signIn(connection, "four", "_s6");
  const { name_id: nameId } = await db
    .selectFrom("saml_sessions")
    .select("name_id")
    .where("session_index", "=", "_s6")
    .executeTakeFirstOrThrow();
  const make = ({
    key = saml.key,
    from = issuer,
    to = slo,
    at = new Date(),
    algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  } = {}): string => {
    const text = `<p:LogoutRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_${Math.random()}" Version="2.0" IssueInstant="${at.toISOString()}" Destination="${to}"><a:Issuer>${from}</a:Issuer><a:NameID>${nameId}</a:NameID></p:LogoutRequest>`;
    const signed = `SAMLRequest=${encodeURIComponent(deflateRawSync(text).toString("base64"))}&SigAlg=${encodeURIComponent(algorithm)}`;
    const by = createSign(algorithm.endsWith("sha1") ? "sha1" : "sha256").update(signed);
    return `${slo}?${signed}&Signature=${encodeURIComponent(by.sign(key, "base64"))}`;
  };
  const made = make();
  const made_up: Record<string, string> = {
    unsigned: made.replace(/&Signature=.*/, ""),
    "another's key": make({ key: samlKeys().key }),
    "SHA-1": make({ algorithm: "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }),
    "another issuer": make({ from: "https://evil.example" }),
    "for another": make({ to: "https://else.example/slo" }),
    old: make({ at: new Date(Date.now() - 3_600_000) }),
    "with something added": `${made}&RelayState=x`,
    "two messages": made.replace("?", `?SAMLRequest=${encodeURIComponent(deflateRawSync("<a/>").toString("base64"))}&`),
  };
  for (const [name, url] of Object.entries(made_up)) {
    const { location, status } = await there.ask(url);
    expect([name, location ?? status]).toEqual([name, name === "two messages" ? expect.anything() : refusal]);
    expect([name, await isIn(victim)]).toEqual([name, true]);
  }
  expect((await there.ask(made)).location).toMatch(/SAMLResponse=/);
  expect(await isIn(victim)).toBe(false);
});
