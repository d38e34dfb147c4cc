/**
 * What a SAML response proves. Its form is checked before any signature is looked at: one response with one assertion in
 * it, each signature with one reference, by algorithms of a short list. Then the library checks the signature, and from
 * here on only what it says was signed is read, never the document that was posted.
 */
import { SAML, ValidateInResponseTo } from "@node-saml/passport-saml";
import { checkForm, only, refused } from "./saml-form.ts";
import type { SamlSigning } from "./saml-signing.ts";
import { childrenOf, readElements } from "./xml-elements.ts";

export interface SamlProvider {
  /** Its entity id. */
  readonly issuer: string;
  /** PEM; any of them may have signed. */
  readonly certificates: readonly string[];
}

/** Ourselves, for one connection. */
export interface SamlParty {
  readonly entityId: string;
  /** Where responses are posted to. */
  readonly acs: string;
  /** Where requests to sign somebody out go, and answers to ours. */
  readonly slo: string;
}

export interface SamlAssertion {
  readonly id: string;
  /** When it could no longer be shown again anyway. */
  readonly expiresAt: Date;
  readonly nameId: string;
  readonly nameIdFormat: string;
  /** The provider's name for its session, or "". */
  readonly sessionIndex: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const skewMs = 60_000;
const oldestMs = 600_000;
const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/** Checks the form and gives the request that it says it answers. Faults: `saml_refused`, `xml_refused`. */
export const inspectSaml = (xml: string): { inResponseTo: string; destination: string | undefined } => {
  const elements = readElements(xml);
  const named = (name: string) => elements.filter((one) => one.name === name);
  const [root] = elements;
  if (root?.name !== "Response" || named("Response").length !== 1) throw refused("it must be one Response");
  const [assertion, ...others] = named("Assertion");
  if (assertion === undefined || others.length > 0 || assertion.parent !== root)
    throw refused("it must hold one Assertion, directly in the Response, not encrypted");
  if (named("EncryptedAssertion").length > 0) throw refused("it must hold one Assertion, not encrypted");
  if (childrenOf(elements, assertion, "Signature").length !== 1) throw refused("the Assertion must be signed");
  checkForm(elements, [root, assertion]);
  const inResponseTo = root.attributes.get("InResponseTo");
  if (inResponseTo === undefined || inResponseTo === "")
    throw refused("it answers no request of ours; begin at our side, not at the identity provider's");
  return { inResponseTo, destination: root.attributes.get("Destination") };
};

/**
 * What the assertion says, when it was signed by the provider for us in answer to that request.
 * Faults: `saml_refused`, `xml_refused`.
 */
export const checkSaml = async (
  provider: SamlProvider,
  party: SamlParty,
  xml: string,
  requestId: string,
): Promise<SamlAssertion> => {
  const { inResponseTo, destination } = inspectSaml(xml);
  if (inResponseTo !== requestId) throw refused("it answers another request");
  if (destination !== undefined && destination !== party.acs) throw refused("it was sent to somebody else");
  const { profile } = await createSaml(provider, party, { requestId })
    .validatePostResponseAsync({ SAMLResponse: Buffer.from(xml).toString("base64") })
    .catch((cause: unknown) => {
      throw refused("its signature or audience is wrong", cause);
    });
  const signed = profile?.getAssertionXml?.();
  if (profile === null || signed === undefined) throw refused("it asserts nothing");
  return readAssertion(signed, provider, party, requestId, profile.attributes);
};

const readAssertion = (
  xml: string,
  provider: SamlProvider,
  party: SamlParty,
  requestId: string,
  attributes: unknown,
): SamlAssertion => {
  const elements = readElements(xml);
  const [assertion] = elements;
  if (assertion?.name !== "Assertion") throw refused("it asserts nothing");
  if (only(elements, assertion, "Issuer").text.trim() !== provider.issuer) throw refused("its Issuer is another");
  only(elements, only(elements, assertion, "Conditions"), "AudienceRestriction");
  const sessionIndex = only(elements, assertion, "AuthnStatement").attributes.get("SessionIndex") ?? "";
  const subject = only(elements, assertion, "Subject");
  const confirmation = only(elements, subject, "SubjectConfirmation");
  if (confirmation.attributes.get("Method") !== bearer) throw refused("its subject is not confirmed as bearer");
  const data = only(elements, confirmation, "SubjectConfirmationData").attributes;
  if (data.get("Recipient") !== party.acs) throw refused("its Recipient is another");
  if (data.get("InResponseTo") !== requestId) throw refused("it confirms another request");
  const end = Date.parse(data.get("NotOnOrAfter") ?? "");
  // Also refuses what is no date.
  if (!(end > Date.now() - skewMs)) throw refused("it has expired");
  const nameId = only(elements, subject, "NameID");
  const format = nameId.attributes.get("Format") ?? "";
  if (format === transient) throw refused("its NameID must stay the same for a person; choose persistent or e-mail");
  const name = nameId.text.trim();
  const id = assertion.attributes.get("ID") ?? "";
  if (name === "" || name.length > 512 || sessionIndex.length > 512 || id === "")
    throw refused("its NameID, SessionIndex or ID is missing or too long");
  return {
    ...{ id, nameId: name, nameIdFormat: format, sessionIndex },
    expiresAt: new Date(Math.min(end, Date.now() + 86_400_000) + skewMs),
    attributes: typeof attributes === "object" && attributes !== null ? { ...attributes } : {},
  };
};

/** What a message to a provider takes beside what checking its answers does. */
export interface SamlAddresses extends Pick<SamlProvider, "certificates"> {
  readonly entryPoint?: string;
  readonly logoutUrl?: string;
  /** With it, whatever we send is signed. */
  readonly signing?: SamlSigning;
}

/** The library, set up for one exchange: it knows of no other request than this one. */
export const createSaml = (
  { certificates, entryPoint, logoutUrl, signing }: SamlAddresses,
  { entityId, acs, slo }: SamlParty,
  { requestId }: { requestId: string },
): SAML => {
  const begun = new Date().toISOString();
  return new SAML({
    issuer: entityId,
    audience: entityId,
    callbackUrl: acs,
    idpCert: [...certificates],
    logoutCallbackUrl: slo,
    ...(entryPoint === undefined ? {} : { entryPoint }),
    ...(logoutUrl === undefined ? {} : { logoutUrl }),
    ...(signing === undefined ? {} : { privateKey: signing.key }),
    wantAssertionsSigned: true,
    // Some providers sign the response too; the assertion is what counts.
    wantAuthnResponseSigned: false,
    validateInResponseTo: ValidateInResponseTo.always,
    generateUniqueId: () => requestId,
    // The request is taken out of Postgres, once, before the library sees its answer.
    cacheProvider: {
      saveAsync: () => Promise.resolve(null),
      getAsync: (key: string) => Promise.resolve(key === requestId ? begun : null),
      removeAsync: (key: string | null) => Promise.resolve(key),
    },
    signatureAlgorithm: "sha256",
    digestAlgorithm: "sha256",
    acceptedClockSkewMs: skewMs,
    maxAssertionAgeMs: oldestMs,
    identifierFormat: null,
    disableRequestedAuthnContext: true,
  });
};

const mailNames = [
  "email",
  "mail",
  "emailAddress",
  "urn:oid:0.9.2342.19200300.100.1.3",
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
];
const nameNames = [
  "displayName",
  "name",
  "urn:oid:2.16.840.1.113730.3.1.241",
  "http://schemas.microsoft.com/identity/claims/displayname",
];

/** The attribute that says it first, or the NameID where that is an e-mail address. */
export const samlEmail = ({ attributes, nameId, nameIdFormat }: SamlAssertion): string | undefined =>
  textOf(attributes, mailNames) ?? (nameIdFormat.endsWith(":nameid-format:emailAddress") ? nameId : undefined);

export const samlName = ({ attributes }: SamlAssertion): string => textOf(attributes, nameNames) ?? "";

const textOf = (attributes: SamlAssertion["attributes"], names: readonly string[]): string | undefined => {
  for (const name of names) {
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
};
