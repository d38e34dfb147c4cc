/** What opens something: 256 random bits, known to one browser or one mailbox; here only their SHA-256 is kept. */
import { hash, randomBytes } from "node:crypto";

export const newToken = (): string => randomBytes(32).toString("base64url");
export const hashToken = (token: string): string => hash("sha256", token);
/** The only form a token has; anything else is not worth a question to Postgres. */
export const tokenForm = /^[A-Za-z0-9_-]{43}$/;
