/** Random ids, cut from a stock of random bytes: asking the system for each costs more than the rest of a small request. */
import { randomFillSync } from "node:crypto";

const stock = Buffer.allocUnsafeSlow(4_096);
let at = stock.length;

/** `bytes` random bytes as base64url. */
export const randomId = (bytes: number): string => {
  if (at + bytes > stock.length) {
    randomFillSync(stock);
    at = 0;
  }
  at += bytes;
  return stock.toString("base64url", at - bytes, at);
};
