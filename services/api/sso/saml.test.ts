import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { forgeries, samlAnswer, samlKeys } from "./saml.driver.ts";
import { decodeSaml } from "./saml-form.ts";
import { checkSaml, samlEmail } from "./saml-response.ts";
import { readElements } from "./xml-elements.ts";

const keys = samlKeys();
const others = samlKeys();
const provider = { issuer: "https://idp.example/entity", certificates: [others.cert, keys.cert] };
const party = { entityId: "https://log.example/sp", acs: "https://log.example/acs", slo: "https://log.example/slo" };
const requestId = "_request";
const user = { id: "ann", email: "ann@corp.example", name: "Ann & Co" };
const options = {
  ...{ ...keys, issuer: provider.issuer, audience: party.entityId, recipient: party.acs, destination: party.acs },
  inResponseTo: requestId,
};
const answer = (more: Partial<Parameters<typeof samlAnswer>[0]> = {}) => samlAnswer({ ...options, ...more }, user);
const verdict = (xml: string, id = requestId): Promise<unknown> =>
  checkSaml(provider, party, xml, id).then(
    ({ nameId }) => nameId,
    ({ code }: { code: string }) => code,
  );
const refusal = /^(saml|xml)_refused$/;

test("a signed answer to our request is believed, whichever of the provider's keys signed it", async () => {
  for (const more of [{}, { signResponse: true }, others]) expect(await verdict(await answer(more))).toBe("ann");
  const found = await checkSaml(provider, party, await answer(), requestId);
  expect(samlEmail(found)).toBe("ann@corp.example");
  expect(found.expiresAt.getTime()).toBeGreaterThan(Date.now());
});

test("no rearranged, changed or disguised answer is", async () => {
  const good = await answer();
  const all = forgeries(good, await answer({ signResponse: true, signAssertion: false }), "root");
  for (const [name, xml] of Object.entries(all)) {
    expect([name, xml]).not.toEqual([name, good]);
    expect([name, await verdict(xml)]).toEqual([name, expect.stringMatching(refusal)]);
  }
});

test("nor one that is signed, but by another, weakly, not at all, for others, or for another request", async () => {
  const cases: Record<string, Partial<Parameters<typeof samlAnswer>[0]>> = {
    "another's key": samlKeys(),
    "SHA-1 signature": { signatureAlgorithm: "rsa-sha1" },
    "SHA-1 digest": { digestAlgorithm: "sha1" },
    "no signature": { signAssertion: false },
    "only the response signed": { signAssertion: false, signResponse: true },
    "another audience": { audience: "https://other.example/sp" },
    "another recipient": { recipient: "https://other.example/acs" },
    "another destination": { destination: "https://other.example/acs" },
    "another issuer": { issuer: "https://evil.example" },
    "another request": { inResponseTo: "_other" },
    "long expired": { lifetimeInSeconds: -3600 },
    "a name for this time only": { nameIdentifierFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" },
  };
  for (const [name, more] of Object.entries(cases)) {
    expect([name, await verdict(await answer(more))]).toEqual([name, expect.stringMatching(refusal)]);
  }
  expect(await verdict(await answer(), "_other")).toMatch(refusal);
  const unasked = (await answer()).replace(/ InResponseTo="[^"]*"/g, "");
  expect(await verdict(unasked)).toMatch(refusal);
});

test("a changed character anywhere in what was signed is found", async () => {
  const xml = await answer();
  const [from, to] = [xml.search(/<(\w+:)?Assertion/), xml.lastIndexOf("Assertion>")];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: from, max: to }), fc.constantFrom("x", "0", "<", '"', " "), async (at, char) => {
      const changed = xml.slice(0, at) + char + xml.slice(at + 1);
      const found = await verdict(changed);
      // What signatures do not cover, such as the spaces in a tag, may change; what is read may not.
      if (!refusal.test(String(found))) expect(found).toBe("ann");
    }),
    { numRuns: 150 },
  );
});

test("what is posted must be UTF-8 in base64, and of a fit size", () => {
  expect(decodeSaml(Buffer.from("<a/>").toString("base64"))).toBe("<a/>");
  for (const posted of ["<a/>", "%%%", Buffer.from([0xff, 0xfe]).toString("base64"), "A".repeat(600_000)])
    expect(() => decodeSaml(posted)).toThrow(expect.objectContaining({ code: "saml_refused" }));
});

test("elements are read as they nest, with XML's own entities", () => {
  const [a, b] = readElements(
    `<?xml version="1.0" encoding="UTF-8"?>\n<p:a x='1 &amp; "2"'><b y="&#65;"/>&lt;t&gt;</p:a>`,
  );
  expect([a?.name, a?.text, a?.attributes.get("x"), b?.attributes.get("y"), b?.parent === a]).toEqual([
    "a",
    "<t>",
    '1 & "2"',
    "A",
    true,
  ]);
  for (const xml of [
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a b=1/>",
    "<a b='1' b='2'/>",
    "x<a/>",
    "<a>&x;</a>",
    "<a>&#x110000;</a>",
    "<a <b/>",
  ])
    expect(() => readElements(xml)).toThrow(expect.objectContaining({ code: "xml_refused" }));
});
