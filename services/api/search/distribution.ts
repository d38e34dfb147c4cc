/** How the numbers of an attribute are spread among the events that a query finds. */
import { type Scope, type Sql, scoped, type Window } from "./scope.ts";

export interface DistributionRequest extends Window {
  readonly q: string;
  readonly now: number;
  /** The attribute's path. */
  readonly path: string;
  /** Bins at most. */
  readonly bins: number;
}

/** Nothing is a number: min and max are null then, and there is no bin. */
export type DistributionRow = [
  count: string,
  min: number | null,
  max: number | null,
  bins: [from: number, to: number, count: number][],
];

/** One pass: the bins are as wide as the values ask for, narrow where many are, and their counts are estimates. */
export const distributionSql = ({ path, bins, ...request }: DistributionRequest, scope: Scope): Sql => {
  const { where, bind, params } = scoped(scope, request, request);
  return {
    query: `SELECT toString(count()), if(count() = 0, NULL, min(v)), if(count() = 0, NULL, max(v)), histogram(${Math.floor(bins)})(v) FROM (
  SELECT toFloat64OrNull(attributes[${bind("String", path)}]) AS v FROM tenant_events WHERE ${where}
) WHERE isFinite(ifNull(v, nan))`,
    params,
  };
};
