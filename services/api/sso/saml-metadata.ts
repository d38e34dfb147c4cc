/** A SAML provider's metadata: what a connection needs, out of the document that providers publish. */
import { Fault } from "@astralog/chassis";
import { childrenOf, readElements, type XmlElement } from "./xml-elements.ts";

export interface SamlMetadata {
  readonly issuer: string;
  readonly entry_point: string;
  readonly certificates: string[];
  /** Where it hears of sign-outs, when it does. */
  readonly logout_url: string | null;
}

const redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const saml2 = "urn:oasis:names:tc:SAML:2.0:protocol";
const mostCertificates = 5;

const unfit = (why: string): Fault => new Fault("invalid_request", `The metadata is of no use here: ${why}.`);

/** Faults: `invalid_request`, `xml_refused`. */
export const readMetadata = (xml: string): SamlMetadata => {
  // Nothing in it is signed for us, so nobody else reads it in another way: comments, which publishers like, may go.
  const elements = readElements(xml.replace(/^\uFEFF/, "").replace(/<!--[\s\S]*?-->/g, ""));
  const providers = elements.filter(
    ({ name, attributes }) =>
      name === "IDPSSODescriptor" && (attributes.get("protocolSupportEnumeration") ?? "").split(/\s+/).includes(saml2),
  );
  const [provider, ...more] = providers;
  const entity = provider?.parent;
  if (provider === undefined || entity?.name !== "EntityDescriptor")
    throw unfit("it has no IDPSSODescriptor for SAML 2.0");
  if (more.length > 0) throw unfit("it describes several identity providers; give the one's own document");
  const issuer = entity.attributes.get("entityID") ?? "";
  if (issuer === "") throw unfit("its EntityDescriptor has no entityID");
  const located = (name: string): string | undefined =>
    childrenOf(elements, provider, name)
      .find(({ attributes }) => attributes.get("Binding") === redirect)
      ?.attributes.get("Location");
  const entryPoint = located("SingleSignOnService");
  if (entryPoint === undefined) throw unfit("it has no SingleSignOnService with the HTTP-Redirect binding");
  const certificates = certificatesOf(elements, provider);
  if (certificates.length === 0) throw unfit("it has no certificate that signs");
  return { issuer, entry_point: entryPoint, certificates, logout_url: located("SingleLogoutService") ?? null };
};

const certificatesOf = (elements: readonly XmlElement[], provider: XmlElement): string[] => {
  const keys = childrenOf(elements, provider, "KeyDescriptor").filter(
    ({ attributes }) => (attributes.get("use") ?? "signing") === "signing",
  );
  const texts = keys
    .flatMap((key) => childrenOf(elements, key, "KeyInfo"))
    .flatMap((info) => childrenOf(elements, info, "X509Data"))
    .flatMap((data) => childrenOf(elements, data, "X509Certificate"))
    .map(({ text }) => text.replace(/\s/g, ""));
  return [...new Set(texts)].slice(0, mostCertificates).map(pemOf);
};

const pemOf = (base64: string): string =>
  `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;
