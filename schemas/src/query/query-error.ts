/** A query that cannot be run, with where and what to write instead. Safe to show to whoever wrote the query. */
export class QueryError extends Error {
  override readonly name = "QueryError";
  /** 1-based, in UTF-16 units of the query's text. */
  readonly column: number;
  readonly suggestion: string;

  constructor(message: string, column: number, suggestion: string) {
    super(message);
    this.column = column;
    this.suggestion = suggestion;
  }
}
