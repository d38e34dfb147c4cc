/**
 * Entity tags where two edits can collide: the hash of what is shown. Who edits sends back the tag of what he saw in
 * If-Match, and is refused when somebody else was faster; compared while the row is locked, so one of two always loses.
 */
import { hash } from "node:crypto";
import { Fault } from "@astralog/chassis";
import type { Request } from "express";

export const etagOf = (shown: unknown): string => `"${hash("sha256", JSON.stringify(shown), "hex").slice(0, 32)}"`;

/** Takes what is stored now as it would be shown. Faults: `changed`. */
export type Unchanged = (shown: unknown) => void;

export const unchangedSince = (request: Request): Unchanged => {
  const wanted = request.get("if-match");
  if (wanted === undefined) return () => {};
  const tags = wanted.split(",").map((tag) => tag.trim());
  return (shown) => {
    if (tags.includes("*") || tags.includes(etagOf(shown))) return;
    throw new Fault("changed", "It was changed since you read it; read it again and repeat your edit.");
  };
};
