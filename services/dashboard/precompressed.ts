/** Writes each text asset as .br and .gz beside itself, so that serving it costs the api nothing. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

export const precompressed = (): Plugin => {
  let dist = "";
  return {
    name: "astralog-precompressed",
    apply: "build",
    configResolved: (config) => {
      dist = join(config.root, config.build.outDir);
    },
    closeBundle: () => {
      for (const name of globSync("**/*.{js,css,svg,html}", { cwd: dist })) {
        const bytes = readFileSync(join(dist, name));
        if (bytes.length < 1024) continue;
        writeFileSync(join(dist, `${name}.gz`), gzipSync(bytes, { level: 9 }));
        writeFileSync(
          join(dist, `${name}.br`),
          brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }),
        );
      }
    },
  };
};
