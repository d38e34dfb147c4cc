/** What is wrong with a query, below where it is written. */
import type { Wrong } from "./language.ts";

export const QueryWrong = ({ of: wrong }: { of: Wrong | undefined }) => (
  <div role="alert">
    {wrong === undefined ? null : (
      <p className="query-wrong">
        <strong>{wrong.message}</strong> {wrong.suggestion} <span className="faint">Column {wrong.column}.</span>
      </p>
    )}
  </div>
);
