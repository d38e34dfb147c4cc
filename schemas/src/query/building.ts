/** What the parser carries along while it turns a tree into an AST. */
export interface Building {
  readonly text: string;
  readonly now: number;
  terms: number;
}
