/** The flag that makes Java use a class archive, or make one at its end; see archives.ts. */
import { join } from "node:path";
import { tools } from "./paths.ts";

export const archiveFlag = (name: "kafka" | "registry", made?: string): string =>
  made === undefined ? `-XX:SharedArchiveFile=${join(tools, `${name}.jsa`)}` : `-XX:ArchiveClassesAtExit=${made}`;
