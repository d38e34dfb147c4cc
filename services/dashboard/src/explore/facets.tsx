/** The values that fields have in what was found: a click keeps only one, alt-click takes it out; numbers have a range. */
import { useState } from "react";
import { classes, Input } from "../ui/controls.tsx";
import { compact } from "../ui/time.ts";
import { type Asked, type Facet, useFacets } from "./data.ts";
import { filterOf, hasFilter } from "./language.ts";
import { NumberFacet } from "./number-facet.tsx";

interface FacetsProps {
  readonly asked: Asked;
  readonly facets: readonly Facet[];
  /** Names of fields that hold numbers. */
  readonly numbers: readonly string[];
  readonly q: string;
  readonly onFilter: (filter: string, exclude: boolean) => void;
  readonly onQuery: (q: string) => void;
}

/** Values that each field shows at first; where it has as many, there may be more to look for. */
export const shownValues = 10;
const foundValues = 100;

export const Facets = ({ asked, facets, numbers, q, onFilter, onQuery }: FacetsProps) => (
  <aside className="facets" aria-label="Values">
    {facets
      .filter(({ values }) => values.length > 0)
      .map((facet) => (
        <TextFacet key={facet.field} {...{ asked, facet, q, onFilter }} />
      ))}
    {numbers.map((field) => (
      <NumberFacet key={field} {...{ asked, field, q, onQuery }} />
    ))}
  </aside>
);

interface TextFacetProps extends Pick<FacetsProps, "asked" | "q" | "onFilter"> {
  readonly facet: Facet;
}

const TextFacet = ({ asked, facet, q, onFilter }: TextFacetProps) => {
  const [find, setFind] = useState("");
  const more = useFacets(asked, find === "" ? [] : [facet.field], foundValues);
  const wanted = find.toLowerCase();
  const all = find === "" ? facet.values : (more.data?.facets[0]?.values ?? facet.values);
  const values = all.filter(({ value }) => value.toLowerCase().includes(wanted)).slice(0, 2 * shownValues);
  const most = Math.max(1, ...facet.values.map(({ count }) => count));
  return (
    <section>
      <FacetHead field={facet.field} coverage={facet.coverage} />
      {facet.values.length < shownValues ? null : (
        <Input
          className="facet-find"
          aria-label={`Find a value of ${facet.field}`}
          placeholder="Find"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
      )}
      <ul>
        {values.map(({ value, count }) => {
          const filter = filterOf(facet.field, value);
          const state = hasFilter(q, filter);
          return (
            <li key={value}>
              <button
                type="button"
                className={classes("facet", state === "in" && "is-in", state === "out" && "is-out")}
                title={`${value} (click: only these; alt-click: without them)`}
                onClick={(event) => onFilter(filter, event.altKey)}
              >
                <span className="facet-bar" style={{ width: `${(count / most) * 100}%` }} />
                <span className={classes("grow cut", facet.field === "level" && `level level-${value}`)}>
                  {value || "(empty)"}
                </span>
                <span className="faint figures">{compact.format(count)}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {values.length > 0 || more.isFetching ? null : (
        <p className="faint facet-none">
          None of the {foundValues} most frequent values has “{find}” in it.
        </p>
      )}
    </section>
  );
};

export const FacetHead = ({ field, coverage }: { field: string; coverage: number }) => (
  <h2>
    <span className="grow cut">{field}</span>
    {coverage < 0.995 ? <span className="faint">in {Math.max(1, Math.round(coverage * 100))} %</span> : null}
  </h2>
);
