/**
 * A certificate authority of this checkout alone and a server certificate signed by it, for the HTTPS receiver and
 * Kafka's outside listener. Clients are told the authority's file; nothing is put into the system's trust store.
 */
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { writePrivate } from "./secrets.ts";

export interface Tls {
  /** Paths of PEM files: the authority's certificate, the server's chain, the server's key. */
  readonly ca: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const day = 86_400_000;
// Apple's clients refuse server certificates that live longer than 398 days.
const leafDays = 397;
const renewDays = 30;

const livesOn = (certFile: string): boolean =>
  existsSync(certFile) &&
  Date.parse(new X509Certificate(readFileSync(certFile)).validTo) > Date.now() + renewDays * day;

/** Whether it is good for every name a client may use. */
const names = (certFile: string, wanted: readonly string[]): boolean => {
  const certificate = new X509Certificate(readFileSync(certFile));
  return wanted.every(
    (name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined,
  );
};

const dates = (days: number) => ({
  notBeforeDate: new Date(Date.now() - day),
  notAfterDate: new Date(Date.now() + days * day),
});

/** `name`: what other machines call this one, beside localhost and its own host name. */
export const makeTls = async (dir: string, name = "localhost"): Promise<Tls> => {
  const wanted = [...new Set(["localhost", hostname(), "127.0.0.1", "::1", name])];
  const files = {
    ca: join(dir, "ca.pem"),
    caKey: join(dir, "ca-key.pem"),
    certFile: join(dir, "server.pem"),
    keyFile: join(dir, "server-key.pem"),
  };
  const paths: Tls = { ca: files.ca, certFile: files.certFile, keyFile: files.keyFile };
  if (livesOn(files.ca) && livesOn(files.certFile) && names(files.certFile, wanted)) return paths;

  if (!livesOn(files.ca) || !existsSync(files.caKey)) {
    const authority = await generate([{ name: "commonName", value: `Astralog local authority of ${hostname()}` }], {
      keyType: "ec",
      algorithm: "sha256",
      ...dates(3650),
      extensions: [
        { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
        { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
      ],
    });
    writePrivate(files.caKey, authority.private);
    writePrivate(files.ca, authority.cert);
  }
  const ca = { key: readFileSync(files.caKey, "utf8"), cert: readFileSync(files.ca, "utf8") };
  const leaf = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    ca,
    ...dates(leafDays),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: wanted.map((one) =>
          isIP(one) === 0 ? { type: 2 as const, value: one } : { type: 7 as const, ip: one },
        ),
      },
    ],
  });
  writePrivate(files.keyFile, leaf.private);
  writePrivate(files.certFile, `${leaf.cert.trimEnd()}\n${ca.cert}`);
  return paths;
};
