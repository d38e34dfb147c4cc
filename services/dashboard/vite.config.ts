import { defineConfig } from "vite";
import { compiledGrammar } from "./compiled-grammar.ts";
import { precompressed } from "./precompressed.ts";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [compiledGrammar(), precompressed()],
  build: {
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    // The content security policy lets nothing in by data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
});
