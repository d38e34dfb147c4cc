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
    return withRegexTokens(parser, terms);
  },
});

/** The tokenizer that ends a regular expression must know the number the grammar gave it, which a file cannot import. */
const withRegexTokens = (parser: string, terms: string): string => {
  const term = /\bRegex = (\d+)/.exec(terms)?.[1];
  const imported = /import \{ ?regexTokens ?\} from ("[^"]+")/;
  if (!imported.test(parser)) return parser;
  if (term === undefined) throw new Error("query.grammar: expected a term named Regex");
  return parser.replace(
    imported,
    `import { createRegexTokens } from $1\nconst regexTokens = createRegexTokens(${term})`,
  );
};
