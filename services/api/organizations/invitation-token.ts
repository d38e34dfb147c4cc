import { hash } from "node:crypto";

export const hashToken = (token: string): string => hash("sha256", token, "hex");
