import { hash, randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createAuditSigner } from "../audit-head.ts";
import { type CertificateBody, checkCertificate, removedLine, signCertificate } from "./certificate.ts";
import { createMerkle } from "./merkle.ts";

/** RFC 6962, 2.1, as it is written there. */
const reference = (lines: readonly string[]): Buffer => {
  const [only] = lines;
  if (only === undefined) return hash("sha256", "", "buffer");
  if (lines.length === 1) return hash("sha256", Buffer.concat([Buffer.of(0), Buffer.from(only)]), "buffer");
  let split = 1;
  while (split * 2 < lines.length) split *= 2;
  const halves = [reference(lines.slice(0, split)), reference(lines.slice(split))];
  return hash("sha256", Buffer.concat([Buffer.of(1), ...halves]), "buffer");
};

const rootOf = (lines: readonly string[]): string => {
  const tree = createMerkle();
  for (const line of lines) tree.add(line);
  expect(tree.leaves).toBe(lines.length);
  return tree.root();
};

test("the root is the one that RFC 6962 defines", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 40 }), (lines) => {
      expect(rootOf(lines)).toBe(reference(lines).toString("hex"));
    }),
  );
});

const signer = createAuditSigner(randomBytes(32));
const lines = [0, 1, 2].map((offset) =>
  removedLine({
    ...{ place: "events", source: "src_1", topic: "events.raw", partition: 0, offset, events: 3 },
    indexes_sha256: "ab",
  }),
);
const body: CertificateBody = {
  ...{ v: 1, id: "del_1", tenant: "tn_1", kind: "query", sources: [], query: "user.id:7", from: "", to: "" },
  ...{ received_before: "2026-01-01T00:00:00.000Z", reason: "asked", requested_by: "usr_1" },
  issued_at: "2026-01-01T00:01:00.000Z",
  places: [{ place: "events", removed: 9, found: 0, looked_at: "2026-01-01T00:00:59.000Z", detail: "" }],
  merkle: { root: rootOf(lines), leaves: 3 },
};

test("a certificate holds with its key and its list, and with no other", () => {
  const certificate = signCertificate(signer, body);
  const { publicKey } = signer;
  expect(checkCertificate(certificate, { publicKey, lines })).toEqual({ problems: [] });
  expect(checkCertificate(JSON.parse(JSON.stringify(certificate)), { publicKey })).toEqual({ problems: [] });
  const other = createAuditSigner(randomBytes(32)).publicKey;
  expect(checkCertificate(certificate, { publicKey: other }).problems).toHaveLength(1);
  expect(checkCertificate(certificate, { publicKey, lines: lines.slice(1) }).problems).toHaveLength(1);
  expect(checkCertificate(certificate, { publicKey, lines: [...lines].reverse() }).problems).toHaveLength(1);
  expect(checkCertificate(certificate, { publicKey: "no key" }).problems).toHaveLength(1);
});

test("whatever is changed in it is seen", () => {
  const certificate = signCertificate(signer, body);
  const { publicKey } = signer;
  for (const name of Object.keys(certificate) as (keyof typeof certificate)[])
    expect([
      name,
      checkCertificate({ ...certificate, [name]: "x" } as never, { publicKey }).problems.length > 0,
    ]).toEqual([name, true]);
  const place = { ...body.places[0], found: 1 };
  const still = signCertificate(signer, { ...body, places: [place] as never });
  expect(checkCertificate(still, { publicKey }).problems).toEqual(["events: 1 were still found there"]);
});
