import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "@jest/globals";
import express from "express";
import { createSecurityTxt, isContact, wrongDocument, wrongExpiry } from "./security-txt.ts";

const hourMs = 3_600_000;
const publicUrl = new URL("https://logs.example.com");

const both = ["mailto:security@example.com", "https://example.com/report"];
const fetched = async (expires: Date, contacts = both, document = "") => {
  const app = express();
  app.use(createSecurityTxt({ contacts, expires, publicUrl, document }));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/security.txt`;
  const response = await fetch(url);
  const [text, post] = [await response.text(), (await fetch(url, { method: "POST" })).status];
  server.closeAllConnections();
  server.close();
  return { status: response.status, type: response.headers.get("content-type"), text, post };
};

test("security.txt names the contacts, when they expire and where it belongs", async () => {
  const expires = new Date("2099-01-31T00:00:00.000Z");
  const { status, type, text, post } = await fetched(expires);
  expect([status, type, post]).toEqual([200, "text/plain; charset=utf-8", 404]);
  expect(text.split("\n")).toEqual([
    "Contact: mailto:security@example.com",
    "Contact: https://example.com/report",
    "Expires: 2099-01-31T00:00:00Z",
    "Canonical: https://logs.example.com/.well-known/security.txt",
    "Preferred-Languages: en",
    "",
  ]);
});

test("without a contact, and once it has expired, there is none", async () => {
  expect((await fetched(new Date(Date.now() + hourMs), [])).status).toBe(404);
  expect((await fetched(new Date(Date.now() - 1))).status).toBe(404);
});

const signedUntil = (expires: string): string => `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Contact: mailto:security@example.com
Expires: ${expires}
-----BEGIN PGP SIGNATURE-----

iQ
-----END PGP SIGNATURE-----
`;

test("a document that was signed is served as it is, until it expires", async () => {
  const document = signedUntil("2099-01-31T00:00:00Z");
  const none = new Date(0);
  expect(await fetched(none, [], document)).toMatchObject({ status: 200, text: document });
  expect((await fetched(none, both, signedUntil("2020-01-31T00:00:00Z"))).status).toBe(404);
  const now = Date.parse("2026-01-01");
  expect(["", signedUntil("2026-06-01T00:00:00Z")].map((text) => wrongDocument(text, now))).toEqual([
    undefined,
    undefined,
  ]);
  expect(wrongDocument(document, now)).toMatch(/Expires must be less than a year away/);
  expect(wrongDocument("Expires: 2026-06-01", now)).toMatch(/Contact/);
  expect(wrongDocument("Contact: mailto:a@b.example", now)).toMatch(/Expires/);
  expect(wrongDocument(`${signedUntil("2026-06-01")}Expires: 2026-07-01\n`, now)).toMatch(/one line/);
});

test("a contact is a mail or web address, and stands for less than a year", () => {
  expect(["mailto:a@b.example", "https://b.example/x"].map(isContact)).toEqual([true, true]);
  for (const one of ["a@b.example", "http://b.example", "mailto:a", "mailto:a@b\nContact: mailto:c@d"])
    expect([one, isContact(one)]).toEqual([one, false]);
  const now = Date.parse("2026-01-01");
  for (const good of ["", "2026-12-31", "2026-06-01T12:00:00Z", "2020-01-01"])
    expect([good, wrongExpiry(good, now)]).toEqual([good, undefined]);
  expect(wrongExpiry("2027-01-01", now)).toMatch(/less than a year/);
  for (const bad of ["soon", "2026-13-01", "1 May 2026"]) expect(wrongExpiry(bad, now)).toMatch(/date/);
});
