/** For the tests: a real identity provider's answers, made by the `samlp` package, true and forged. */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express, { type RequestHandler } from "express";

interface SamlpOptions {
  issuer: string;
  cert: string;
  key: string;
  audience?: string;
  destination?: string;
  recipient?: string;
  inResponseTo?: string;
  signatureAlgorithm?: string;
  digestAlgorithm?: string;
  signResponse?: boolean;
  signAssertion?: boolean;
  lifetimeInSeconds?: number;
  nameIdentifierFormat?: string;
  sessionIndex?: string;
}

type Respond = (options: SamlpOptions, user: object, callback: (error: Error | null, xml: string) => void) => void;

const require = createRequire(import.meta.url);
const { getSamlResponse, logout, metadata } = require("samlp") as {
  getSamlResponse: Respond;
  logout(options: object): RequestHandler;
  metadata(options: object): RequestHandler;
};
const Participants = require("samlp/lib/sessionParticipants") as new (sessions: Participant[]) => object;

/** A session of ours, as the provider knows it. */
export interface Participant {
  serviceProviderId: string;
  serviceProviderLogoutURL: string;
  sessionIndex: string;
  nameId: string;
  nameIdFormat: string;
  /** What we sign with. */
  cert: string;
  binding: string;
}

export const redirectBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
export const postBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

export interface LogoutProvider {
  readonly url: string;
  /** Emptied by the provider as sessions end. */
  readonly sessions: Participant[];
  close(): void;
}

/** The package's own metadata and its single logout, which checks what we sign. */
export const startLogoutProvider = async (keys: {
  cert: string;
  key: string;
  issuer: string;
}): Promise<LogoutProvider> => {
  const sessions: Participant[] = [];
  const kept = new Map<string, object>();
  const store = {
    save: (_: unknown, state: object, done: (error: null, handle: string) => void) => {
      const handle = String(kept.size + 1);
      kept.set(handle, state);
      done(null, handle);
    },
    load: (_: unknown, handle: string, ...rest: ((error: null, state: object | undefined) => void)[]) =>
      rest.at(-1)?.(null, kept.get(handle)),
  };
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.get(
    "/metadata",
    metadata({
      ...keys,
      redirectEndpointPath: "/sso",
      postEndpointPath: "/sso",
      logoutEndpointPaths: { redirect: "/logout" },
    }),
  );
  app.use("/logout", (request, response, next) => {
    request.body ??= {};
    const options = {
      ...{ ...keys, store, deflate: true, protocolBinding: redirectBinding },
      ...{
        signatureAlgorithm: "rsa-sha256",
        digestAlgorithm: "sha256",
        destination: sessions[0]?.serviceProviderLogoutURL,
      },
      sessionParticipants: new Participants(sessions),
    };
    logout(options)(request, response, next);
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sessions },
    close: () => server.close(),
  };
};

/** The key alone stands for a certificate, as far as the packages on both sides care. */
export const samlKeys = (): { cert: string; key: string } => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    cert: publicKey.export({ type: "spki", format: "pem" }) as string,
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
};

/** A response as XML. The package signs with SHA-256 only when told. */
export const samlAnswer = (
  options: SamlpOptions,
  user: { id: string; email?: string; name?: string },
): Promise<string> =>
  new Promise((resolve, reject) =>
    getSamlResponse(
      { signatureAlgorithm: "rsa-sha256", digestAlgorithm: "sha256", ...options },
      {
        id: user.id,
        displayName: user.name ?? "",
        name: { givenName: "", familyName: "" },
        emails: user.email === undefined ? [] : [{ value: user.email }],
      },
      (error, xml) => (error === null ? resolve(xml) : reject(error)),
    ),
  );

const between = (xml: string, element: string): string => {
  const found = new RegExp(`<((?:\\w+:)?${element})[\\s>][\\s\\S]*?</\\1>`).exec(xml)?.[0];
  if (found === undefined) throw new Error(`there is no ${element}`);
  return found;
};

/** Each way of the literature to show one assertion to the signature and another to the reader, and some more. */
export const forgeries = (xml: string, responseSigned: string, evilName: string): Record<string, string> => {
  const assertion = between(xml, "Assertion");
  const signature = between(assertion, "Signature");
  const bare = assertion.replace(signature, "");
  const nameId = /(<(?:\w+:)?NameID[^>]*>)([^<]*)(<)/;
  const name = nameId.exec(xml)?.[2] ?? "";
  const evil = bare.replace(nameId, `$1${evilName}$3`).replace(/ ID="[^"]*"/, ' ID="_evil"');
  const inSignature = (inner: string) =>
    signature.replace(/<\/((?:\w+:)?)Signature>$/, `<$1Object>${inner}</$1Object></$1Signature>`);
  const instead = (text: string) => xml.replace(assertion, () => text);
  const inEvil = (inner: string) => evil.replace(/(<\/(?:\w+:)?Issuer>)/, (issuer) => issuer + inner);

  const signedSignature = between(responseSigned.replace(between(responseSigned, "Assertion"), ""), "Signature");
  const signedBare = responseSigned.replace(signedSignature, "").replace(/^<\?xml[^>]*\?>\s*/, "");
  const evilResponse = signedBare.replace(nameId, `$1${evilName}$3`).replace(/ ID="[^"]*"/, ' ID="_evil"');
  const inResponse = (inner: string) => evilResponse.replace(/(<\/(?:\w+:)?Issuer>)/, (issuer) => issuer + inner);

  return {
    "XSW1: the signed response in the signature of another": inResponse(
      signedSignature.replace(/<\/((?:\w+:)?)Signature>$/, `<$1Object>${signedBare}</$1Object></$1Signature>`),
    ),
    "XSW2: the signed response beside the signature": inResponse(signedBare + signedSignature),
    "XSW3: another assertion before the signed one": instead(evil + assertion),
    "XSW4: the signed assertion in another": instead(inEvil(assertion)),
    "XSW5: the signature in another, the signed one behind it": instead(inEvil(signature) + bare),
    "XSW6: the signed one in the signature of another": instead(inEvil(inSignature(bare))),
    "XSW7: another in Extensions": instead(`<samlp:Extensions>${evil}</samlp:Extensions>${assertion}`),
    "XSW8: the signed one in an Object of another's signature": instead(inEvil(inSignature(assertion))),
    "two assertions": instead(assertion + evil),
    "two assertions, the signed one twice": instead(assertion + assertion),
    "no signature": instead(bare),
    "another name": xml.replace(nameId, `$1${evilName}$3`),
    "a comment in the name": xml.replace(nameId, `$1${name}<!-- -->.evil.example$3`),
    "a comment in the digest": xml.replace(/(<(?:\w+:)?DigestValue>)/, "$1<!--AAAA-->"),
    "an element in the digest": xml.replace(/(<(?:\w+:)?DigestValue>)/, "$1<x>AAAA</x>"),
    "two SignedInfo": xml.replace(between(xml, "SignedInfo"), (info) => info + info),
    "two references": xml.replace(between(xml, "Reference"), (one) => one + one),
    "a document type": `<!DOCTYPE r [<!ENTITY a "b">]>${xml}`,
    "an external entity": `<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>${xml.replace(nameId, "$1&a;$3")}`,
    "an entity without a type": xml.replace(nameId, "$1&a;$3"),
    "CDATA in the name": xml.replace(nameId, `$1<![CDATA[${evilName}]]>$3`),
    "an instruction in the name": xml.replace(nameId, `$1${name}<?x y?>.evil.example$3`),
    "an unquoted algorithm": xml.replace(/Algorithm="([^"]*rsa-sha256)"/, "Algorithm=$1"),
    "an algorithm without an equals sign": xml.replace(/Algorithm="([^"]*rsa-sha256)"/, 'Algorithm "$1"'),
    "HMAC with the public key": xml.replace(/[^"]*rsa-sha256/, "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
    "no signature algorithm that we take": xml.replace(/[^"]*rsa-sha256/, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
    "an XSLT transform": xml.replace(/[^"]*#enveloped-signature/, "http://www.w3.org/TR/1999/REC-xslt-19991116"),
    "another's ID again": xml.replace(
      /<samlp:Status>/,
      `<samlp:Status ID="${/Assertion[^>]* ID="([^"]*)"/.exec(xml)?.[1]}">`,
    ),
    "the assertion encrypted": instead(`<saml:EncryptedAssertion xmlns:saml="a"/>${assertion}`),
    "an empty document": "<a/>",
    "no XML": "hello",
  };
};
