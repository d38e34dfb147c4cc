/** The query language: text to AST (parse.ts), AST to ClickHouse SQL (sql.ts). */
export type * from "./ast.ts";
export { builtInFields } from "./ast.ts";
export { fieldNamed } from "./fields.ts";
export { instantForms, parseInstant } from "./instant.ts";
export { queryLimits } from "./limits.ts";
export { neededTexts } from "./needed.ts";
export { parseQuery } from "./parse.ts";
export { parsePipeline } from "./parse-pipeline.ts";
export type * from "./pipeline.ts";
export { type Column, type ColumnType, type PipelineSql, pipelineSql } from "./pipeline-sql.ts";
export { type EventInMemory, type Predicate, type PredicateContext, toPredicate } from "./predicate.ts";
export { QueryError } from "./query-error.ts";
export { type Bind, type Compiled, conditionSql, createBinder, type SqlNames, type SqlParams, toSql } from "./sql.ts";
export { wordsOf } from "./words.ts";
