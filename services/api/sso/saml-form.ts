/** The form that every signed SAML message must have, checked before any signature is looked at. */
import { Fault } from "@astralog/chassis";
import { childrenOf, mostXml, type XmlElement } from "./xml-elements.ts";

const sha2 = "http://www.w3.org/2001/04/";
const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
/** By RSA with SHA-2 alone; SHA-1 is not among them, HMAC neither. */
export const signatureAlgorithms: ReadonlyMap<string, string> = new Map(
  ["256", "384", "512"].map((bits) => [`${sha2}xmldsig-more#rsa-sha${bits}`, `sha${bits}`]),
);
/** Per element, the values of its Algorithm. */
const algorithms: Readonly<Record<string, readonly string[]>> = {
  CanonicalizationMethod: [exclusive],
  SignatureMethod: [...signatureAlgorithms.keys()],
  DigestMethod: [`${sha2}xmlenc#sha256`, `${sha2}xmldsig-more#sha384`, `${sha2}xmlenc#sha512`],
  Transform: ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", exclusive],
};

export const refused = (why: string, cause?: unknown): Fault =>
  new Fault("saml_refused", `The identity provider's message is refused: ${why}.`, { cause });

export const only = (elements: readonly XmlElement[], parent: XmlElement, name: string): XmlElement => {
  const [found, ...more] = childrenOf(elements, parent, name);
  if (found === undefined || more.length > 0) throw refused(`a ${parent.name} must have one ${name}`);
  return found;
};

/** The bytes of base64 that was posted. Faults: `saml_refused`. */
export const samlBytes = (posted: string): Buffer => {
  if (posted.length > 2 * mostXml || !/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(posted)) throw refused("it is not base64");
  return Buffer.from(posted, "base64");
};

/** Faults: `saml_refused`. */
export const samlText = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refused("it is not UTF-8", cause);
  }
};

/** The text that was posted. Faults: `saml_refused`. */
export const decodeSaml = (posted: string): string => samlText(samlBytes(posted));

/**
 * Each signature lies directly in one of `places` and has one reference, by algorithms of the short list; no two elements
 * have one ID. Faults: `saml_refused`.
 */
export const checkForm = (elements: readonly XmlElement[], places: readonly XmlElement[]): void => {
  const named = (name: string) => elements.filter((one) => one.name === name);
  const signatures = named("Signature");
  for (const signature of signatures) {
    if (signature.parent === undefined || !places.includes(signature.parent))
      throw refused("a Signature must lie in what it signs");
    const info = only(elements, signature, "SignedInfo");
    const digest = only(elements, only(elements, info, "Reference"), "DigestValue");
    if (elements.some(({ parent }) => parent === digest)) throw refused("a DigestValue must be text");
  }
  for (const name of ["SignedInfo", "Reference", "DigestValue", "SignatureValue"]) {
    if (named(name).length !== signatures.length) throw refused(`each Signature must have one ${name}`);
  }
  for (const { name, attributes } of elements) {
    const given = [...attributes].filter(([key]) => key === "Algorithm" || key.endsWith(":Algorithm"));
    for (const [, value] of given) {
      if (algorithms[name]?.includes(value) !== true)
        throw refused(`${name} must not use ${JSON.stringify(value.slice(0, 100))}; sign with RSA and SHA-256`);
    }
  }
  const ids = elements.flatMap(({ attributes }) =>
    [...attributes].flatMap(([key, value]) => (/^(?:.*:)?id$/i.test(key) ? [value] : [])),
  );
  if (new Set(ids).size !== ids.length) throw refused("two elements have one ID");
};
