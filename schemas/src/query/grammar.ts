/**
 * The query language's grammar. Lezer gives a tree even for half-typed text, so the editor and the parser that runs
 * queries read the same words. Built once at load: about 20 ms.
 *
 * NOT binds tightest, then AND (also said by standing side by side), then OR.
 */
import { buildParser } from "@lezer/generator";
import type { LRParser } from "@lezer/lr";
import { createRegexTokens } from "./regex-token.ts";

const grammar = String.raw`
@top Query { expression? Pipe* }

@precedence { not, and @left, or @left }

expression { Or | And | operand }

Or { expression !or or expression }
And { expression !and and? expression }

operand { Not | Group | Field | Words }

Not { (not | Minus) !not operand }
Group { "(" expression ")" }
Words { Quoted | Regex | Word }
Field { FieldName (Comparison | Range | Regex | Value | Quoted) }
Comparison { Operator (Value | Quoted) }
Range { (RangeOpen | RangeOpenExclusive) Bound to Bound (RangeClose | RangeCloseExclusive) }
Bound { RangeValue | Quoted }

// What a stage takes is the business of stages.ts: here it is names, numbers and calls, in any order.
Pipe { Bar (Where | Stage) }
Where { WhereWord expression }
Stage { StageName argument* }
StageName { Name }
argument { Call | Name | Keyword | Number | Quoted | Comma | Minus }
Call { Name Open argument* Close }

WhereWord { @specialize<Name, "where"> }
Keyword { @specialize<Name, "by"> | @specialize<Name, "as"> | @specialize<Name, "asc"> | @specialize<Name, "desc"> }

or { @specialize<Word, "OR"> }
and { @specialize<Word, "AND"> }
not { @specialize<Word, "NOT"> }
to { @specialize<RangeValue, "TO"> }

@skip { space }

@external tokens regexTokens from "./regex-token.ts" { Regex }

@tokens {
  space { @whitespace+ }

  // A field's name carries its colon, so that a word never has to guess whether one follows.
  FieldName { (name | Quoted) ":" }
  name { $[a-zA-Z_@$] $[a-zA-Z0-9_@$./\-]* }

  Quoted { '"' (!["\\] | "\\" _)* '"' }

  escaped { "\\" ![ \t\r\n] }
  wordFirst { ![ \t\r\n()"\\:\-|] | escaped }
  wordRest { ![ \t\r\n()"\\:|] | escaped }
  // A word that begins with a digit may hold colons: 10:32:05.
  Word { wordFirst wordRest* | $[0-9] (wordRest | ":")* }

  Minus { "-" }
  Operator { ">=" | "<=" | ">" | "<" }

  valueFirst { ![ \t\r\n()"\\<>[{|] | escaped }
  valueRest { ![ \t\r\n()"\\|] | escaped }
  Value { valueFirst valueRest* }

  RangeOpen { "[" }
  RangeOpenExclusive { "{" }
  RangeClose { "]" }
  RangeCloseExclusive { "}" }
  RangeValue { ![ \t\r\n()"\[\]{}|]+ }

  Bar { "|" }
  Name { name }
  Number { $[0-9]+ ("." $[0-9]+)? $[a-zA-Zµ]* }
  Comma { "," }
  Open { "(" }
  Close { ")" }

  "(" ")"

  @precedence { FieldName, Quoted, Minus, Word }
  @precedence { Operator, Value }
  @precedence { space, Word, Value, RangeValue }
}
`;

export const parser: LRParser = buildParser(grammar, {
  fileName: "query.grammar",
  externalTokenizer: (_name, terms) => createRegexTokens(terms.Regex ?? 0),
});
