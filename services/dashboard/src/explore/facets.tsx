/** The values that fields have in what was found: a click keeps only one, alt-click takes it out. */
import { classes } from "../ui/controls.tsx";
import { compact } from "../ui/time.ts";
import type { Facet } from "./data.ts";
import { filterOf, hasFilter } from "./language.ts";

interface FacetsProps {
  readonly facets: readonly Facet[];
  readonly q: string;
  readonly onFilter: (filter: string, exclude: boolean) => void;
}

export const Facets = ({ facets, q, onFilter }: FacetsProps) => (
  <aside className="facets" aria-label="Values">
    {facets
      .filter(({ values }) => values.length > 0)
      .map(({ field, coverage, values }) => {
        const most = Math.max(1, ...values.map(({ count }) => count));
        return (
          <section key={field}>
            <h2>
              <span className="grow cut">{field}</span>
              {coverage < 0.995 ? <span className="faint">in {Math.max(1, Math.round(coverage * 100))} %</span> : null}
            </h2>
            <ul>
              {values.map(({ value, count }) => {
                const filter = filterOf(field, value);
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
                      <span className={classes("grow cut", field === "level" && `level level-${value}`)}>
                        {value || "(empty)"}
                      </span>
                      <span className="faint figures">{compact.format(count)}</span>
                    </button>
                  </li>
                );
              })}
            </ul>
          </section>
        );
      })}
  </aside>
);
