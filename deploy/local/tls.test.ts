import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { makeTls } from "./tls.ts";

const dir = mkdtempSync(join(tmpdir(), "tls-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("the certificate is the authority's, for every local name, and kept; a new name makes a new one by the same authority", async () => {
  const tls = await makeTls(dir);
  const authority = new X509Certificate(readFileSync(tls.ca));
  const first = new X509Certificate(readFileSync(tls.certFile));
  expect(first.checkIssued(authority) && first.verify(authority.publicKey)).toBe(true);
  expect(first.checkHost("localhost")).toBe("localhost");
  expect(first.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(first.checkHost("logs.example")).toBeUndefined();
  expect(statSync(tls.keyFile).mode & 0o077).toBe(0);

  await makeTls(dir);
  expect(new X509Certificate(readFileSync(tls.certFile)).fingerprint256).toBe(first.fingerprint256);

  await makeTls(dir, "logs.example");
  const second = new X509Certificate(readFileSync(tls.certFile));
  expect(second.checkHost("logs.example")).toBe("logs.example");
  expect(second.checkIssued(authority) && second.verify(authority.publicKey)).toBe(true);
});
