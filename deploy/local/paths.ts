/** Where things lie in this checkout. All that is fetched, made or stored is under .astralog, and nothing elsewhere. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
export const state = join(root, ".astralog");
/** The jars that jars.mjs fetched. */
export const tools = join(state, "tools", "java");
/** Where Node keeps what it compiled: starting a service then takes half the CPU. By content, so it cannot be stale. */
export const compileCache = join(state, "compile-cache");
