/**
 * The query language's grammar as tables, made at build time: the browser gets neither the generator nor its 20 ms.
 * Reads the grammar out of schemas/src/query/grammar.ts, which stays its only source.
 */
import { readFileSync } from "node:fs";
import { buildParserFile } from "@lezer/generator";
import type { Plugin } from "vite";

const file = /\/schemas\/src\/query\/grammar\.ts$/;
const literal = /String\.raw`([^`]*)`/;

export const compiledGrammar = (): Plugin => ({
  name: "astralog-compiled-grammar",
  load(id) {
    const path = id.split("?")[0] ?? id;
    if (!file.test(path)) return null;
    const grammar = literal.exec(readFileSync(path, "utf8"))?.[1];
    if (grammar === undefined) throw new Error(`${path}: expected the grammar as a String.raw template without values`);
    this.addWatchFile(path);
    const { parser, terms } = buildParserFile(grammar, { fileName: "query.grammar", moduleStyle: "es" });
    const regex = /\bRegex = (\d+)/.exec(terms)?.[1];
    if (regex === undefined) throw new Error(`${path}: expected a token named Regex`);
    // The tables ask for the tokenizer by name; it is made with the number that they gave to its token.
    return parser.replace(
      /import \{ ?regexTokens ?\} from ("[^"]+");?/,
      `import { createRegexTokens } from $1;\nconst regexTokens = createRegexTokens(${regex});`,
    );
  },
});
