/**
 * What it costs to encrypt an archive's objects before they leave, and to open them again, beside the SHA-256 that each gets in
 * any case: node bench/encrypted-objects.ts. Medians; CPU, for whoever else works here.
 */
import { hash, randomBytes } from "node:crypto";
import { decryptObject, encryptObject, newClientKey } from "@astralog/schemas/encrypted-object";

const rounds = 15;
const key = newClientKey();

/** Megabytes a second of CPU. */
const measure = (bytes: number, work: () => unknown): number => {
  const spent = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  }).sort((a, b) => a - b);
  return bytes / (spent[Math.floor(rounds / 2)] ?? 1);
};

for (const bytes of [64 * 2 ** 10, 2 ** 20, 64 * 2 ** 20]) {
  const plain = randomBytes(bytes);
  const sealed = encryptObject(key, "events/one.parquet", plain);
  // Small ones many times over, or the clock is too coarse.
  const times = Math.max(1, Math.floor((16 * 2 ** 20) / bytes));
  const many = (work: () => unknown) => () => {
    for (let i = 0; i < times; i++) work();
  };
  const [encrypts, opens, sums] = [
    () => encryptObject(key, "events/one.parquet", plain),
    () => decryptObject(() => key, sealed),
    () => hash("sha256", plain),
  ].map((work) => measure(bytes * times, many(work)));
  process.stdout.write(
    `${String(bytes).padStart(9)} bytes: encrypt ${encrypts?.toFixed(0)} MB/s, decrypt ${opens?.toFixed(0)} MB/s, SHA-256 ${sums?.toFixed(0)} MB/s, ${sealed.length - bytes} bytes longer\n`,
  );
}
