/**
 * Signing somebody out, as SAML providers tell of it and are told. A request of theirs ends sessions, so it is held to
 * what an assertion is held to: their signature, for us, a short while old; whoever takes it sees to that it comes once.
 */
import { verify } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { checkForm, decodeSaml, only, refused, samlBytes, samlText, signatureAlgorithms } from "./saml-form.ts";
import { createSaml, type SamlAddresses, type SamlParty, type SamlProvider } from "./saml-response.ts";
import { childrenOf, mostXml, readElements, type XmlElement } from "./xml-elements.ts";

export interface LogoutRequest {
  readonly id: string;
  readonly expiresAt: Date;
  readonly nameId: string;
  /** The sessions meant; none means all of that name. */
  readonly sessionIndexes: readonly string[];
}

type Kind = "SAMLRequest" | "SAMLResponse";
/** A message in an address, signed beside the XML. */
interface Redirected {
  readonly xml: string;
  readonly signed: string;
  readonly algorithm: string;
  readonly signature: string;
}

const skewMs = 60_000;
const oldestMs = 600_000;
const unspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const success = "urn:oasis:names:tc:SAML:2.0:status:Success";
const names = new Set(["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature"]);

/** The signature is over the address as it was written, so it is read from there and not from what was parsed of it. */
const readRedirected = (search: string, kind: Kind): Redirected => {
  const given = new Map<string, string>();
  for (const piece of search.replace(/^\?/, "").split("&")) {
    const [name = ""] = piece.split("=", 1);
    if (given.has(name)) throw refused(`${name} is given twice`);
    if (names.has(name)) given.set(name, piece);
  }
  const textOf = (name: string): string => {
    try {
      return decodeURIComponent((given.get(name) ?? "").slice(name.length + 1).replaceAll("+", " "));
    } catch (cause) {
      throw refused(`${name} is not well encoded`, cause);
    }
  };
  if (given.has("SAMLRequest") === given.has("SAMLResponse")) throw refused("it must be one message");
  const [algorithm, signature] = [textOf("SigAlg"), textOf("Signature")];
  if (algorithm === "" || signature === "") throw refused("it must be signed");
  const signed = [kind, "RelayState", "SigAlg"].flatMap((name) => given.get(name) ?? []).join("&");
  const packed = samlBytes(textOf(kind));
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: mostXml });
  } catch (cause) {
    throw refused("it is not deflated, or too large", cause);
  }
  return { xml: samlText(bytes), signed, algorithm, signature };
};

const checkRedirected = ({ certificates }: SamlProvider, { signed, algorithm, signature }: Redirected): void => {
  const digest = signatureAlgorithms.get(algorithm);
  if (digest === undefined) throw refused("it must be signed with RSA and SHA-256");
  const made = samlBytes(signature);
  if (!certificates.some((pem) => verify(digest, Buffer.from(signed), pem, made)))
    throw refused("its signature is wrong");
};

const rootOf = (
  elements: readonly XmlElement[],
  name: string,
  provider: SamlProvider,
  party: SamlParty,
): XmlElement => {
  const [root] = elements;
  if (root?.name !== name) throw refused(`it must be one ${name}`);
  if (only(elements, root, "Issuer").text.trim() !== provider.issuer) throw refused("its Issuer is another");
  if (root.attributes.get("Destination") !== party.slo) throw refused("it was sent to somebody else");
  return root;
};

const readRequest = (elements: readonly XmlElement[], root: XmlElement): LogoutRequest => {
  const issued = Date.parse(root.attributes.get("IssueInstant") ?? "");
  // Also refuse what is no date.
  if (!(Math.abs(Date.now() - issued) < oldestMs)) throw refused("it was made too long ago");
  const end = Date.parse(root.attributes.get("NotOnOrAfter") ?? new Date(issued + oldestMs).toISOString());
  if (!(end > Date.now() - skewMs)) throw refused("it has expired");
  const id = root.attributes.get("ID") ?? "";
  const nameId = only(elements, root, "NameID").text.trim();
  if (id === "" || nameId === "") throw refused("its NameID or ID is missing");
  return {
    ...{ id, nameId, expiresAt: new Date(issued + 2 * oldestMs) },
    sessionIndexes: childrenOf(elements, root, "SessionIndex").map(({ text }) => text.trim()),
  };
};

/** What a provider asks for by an address (`search`, as it was written). Faults: `saml_refused`, `xml_refused`. */
export const checkRedirectedRequest = (provider: SamlProvider, party: SamlParty, search: string): LogoutRequest => {
  const message = readRedirected(search, "SAMLRequest");
  checkRedirected(provider, message);
  const elements = readElements(message.xml);
  return readRequest(elements, rootOf(elements, "LogoutRequest", provider, party));
};

/** The same by a form: then the signature lies in the XML. */
export const checkPostedRequest = async (
  provider: SamlProvider,
  party: SamlParty,
  posted: string,
): Promise<LogoutRequest> => {
  const xml = decodeSaml(posted);
  const elements = readElements(xml);
  const root = rootOf(elements, "LogoutRequest", provider, party);
  // All that is read below lies directly in the root, which is what is signed.
  only(elements, root, "Signature");
  checkForm(elements, [root]);
  await createSaml(provider, party, { requestId: "_" })
    .validatePostRequestAsync({ SAMLRequest: Buffer.from(xml).toString("base64") })
    .catch((cause: unknown) => {
      throw refused("its signature is wrong", cause);
    });
  return readRequest(elements, root);
};

/** Whether the provider says that it has ended its own session. Faults: `saml_refused`, `xml_refused`. */
export const readRedirectedAnswer = (provider: SamlProvider, party: SamlParty, search: string): boolean => {
  const message = readRedirected(search, "SAMLResponse");
  checkRedirected(provider, message);
  return isSuccess(readElements(message.xml), provider, party);
};

/** By a form it is not checked: nothing hangs on it but what the page says. */
export const readPostedAnswer = (provider: SamlProvider, party: SamlParty, posted: string): boolean =>
  isSuccess(readElements(decodeSaml(posted)), provider, party);

const isSuccess = (elements: readonly XmlElement[], provider: SamlProvider, party: SamlParty): boolean => {
  const root = rootOf(elements, "LogoutResponse", provider, party);
  const status = only(elements, only(elements, root, "Status"), "StatusCode");
  return status.attributes.get("Value") === success;
};

/** Where the browser goes so that the provider ends its session, too. */
export const askLogout = (
  provider: SamlAddresses,
  party: SamlParty,
  one: { readonly requestId: string; readonly nameId: string; readonly format: string; readonly sessionIndex: string },
): Promise<string> =>
  createSaml(provider, party, { requestId: one.requestId }).getLogoutUrlAsync(
    {
      ...{ issuer: party.entityId, nameID: one.nameId, nameIDFormat: one.format === "" ? unspecified : one.format },
      ...(one.sessionIndex === "" ? {} : { sessionIndex: one.sessionIndex }),
    },
    "",
    {},
  );

/** Where the browser goes with our answer to a provider's request. */
export const answerLogout = (
  provider: SamlAddresses,
  party: SamlParty,
  one: { readonly answerId: string; readonly requestId: string; readonly relayState: string },
): Promise<string> =>
  createSaml(provider, party, { requestId: one.answerId }).getLogoutResponseUrlAsync(
    { ID: one.requestId, issuer: "", nameID: "", nameIDFormat: "" },
    one.relayState,
    {},
    true,
  );
