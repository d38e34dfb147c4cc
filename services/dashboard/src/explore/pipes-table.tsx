/** What a query with pipes makes of the events, in place of their list: lines where it counts along time, and the table. */
import { lazy, Suspense, useMemo, useState } from "react";
import { Button, classes } from "../ui/controls.tsx";
import { Empty, Waiting } from "../ui/states.tsx";
import { formatStamp, number } from "../ui/time.ts";
import type { Table } from "./data.ts";
import { fieldOf, filterOf, groupedBy } from "./language.ts";
import { chartable, linesOf } from "./pipes-lines.ts";

const Chart = lazy(() => import("../boards/chart.tsx").then(({ Chart }) => ({ default: Chart })));

interface PipesTableProps {
  readonly table: Table;
  readonly q: string;
  readonly utc: boolean;
  readonly stale: boolean;
  readonly onFilter: (filter: string, exclude: boolean) => void;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

export const PipesTable = ({ table, q, utc, stale, onFilter, onZoom }: PipesTableProps) =>
  table.rows.length === 0 ? (
    <Empty title="There is nothing to count" />
  ) : (
    <div className={classes("pipes", stale && "is-stale")}>
      <PipesChart {...{ table, utc, onZoom }} />
      <Rows {...{ table, q, utc, onFilter }} />
    </div>
  );

const PipesChart = ({ table, utc, onZoom }: Pick<PipesTableProps, "table" | "utc" | "onZoom">) => {
  const metrics = useMemo(() => chartable(table), [table]);
  const [chosen, setChosen] = useState<string>();
  const metric = metrics.find((one) => one === chosen) ?? metrics[0];
  const drawn = useMemo(() => (metric === undefined ? undefined : linesOf(table, metric)), [table, metric]);
  if (drawn === undefined) return null;
  return (
    <section className="pipes-chart" aria-label={`${metric} over time`}>
      {metrics.length < 2 ? null : (
        <fieldset className="segmented">
          <legend className="hidden">What is drawn</legend>
          {metrics.map((one) => (
            <button key={one} type="button" aria-pressed={one === metric} onClick={() => setChosen(one)}>
              {one}
            </button>
          ))}
        </fieldset>
      )}
      <div className="pipes-plot">
        <Suspense fallback={<Waiting />}>
          <Chart lines={drawn.lines} sums={drawn.sums} annotations={[]} utc={utc} onZoom={onZoom} />
        </Suspense>
      </div>
      {drawn.left === 0 ? null : (
        <p className="small faint">
          {drawn.left === 1 ? "One more group is" : `${number.format(drawn.left)} more groups are`} in the table alone.
        </p>
      )}
    </section>
  );
};

/** Rows that a page draws without being asked; each is some elements, and nobody reads thousands. */
const firstRows = 500;

const Rows = ({
  table: { columns, rows },
  q,
  utc,
  onFilter,
}: Pick<PipesTableProps, "table" | "q" | "utc" | "onFilter">) => {
  const [all, setAll] = useState(false);
  const groups = useMemo(() => groupedBy(q), [q]);
  // Whole seconds say so by having no fraction.
  const digits = columns.map(({ type }, i) =>
    type === "time" && rows.some((row) => !/\.0+Z$/.test(String(row[i] ?? ".0Z"))) ? 3 : 0,
  );
  const cell = (value: string | number | null, i: number): string => {
    if (value === null) return "–";
    if (columns[i]?.type === "time") return formatStamp(String(value), utc, digits[i]);
    return typeof value === "number" ? number.format(value) : value;
  };
  return (
    <>
      <table>
        <thead>
          <tr>
            {columns.map(({ name, type }) => (
              <th key={name} scope="col" className={type === "number" ? "figures" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(all ? rows : rows.slice(0, firstRows)).map((row) => (
            <tr key={JSON.stringify(row)}>
              {columns.map(({ name, type }, i) => {
                const [value = null, field] = [row[i], groups.get(name)];
                return (
                  <td key={name} className={type === "number" ? "figures" : type === "time" ? "figures-left" : "mono"}>
                    {type === "text" && field !== undefined ? (
                      <Group field={field} value={String(value ?? "")} onFilter={onFilter} />
                    ) : (
                      cell(value, i)
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {all || rows.length <= firstRows ? null : (
        <Button small onClick={() => setAll(true)}>
          Show all {number.format(rows.length)} rows
        </Button>
      )}
    </>
  );
};

/** The value of a group: a click keeps it alone, with Alt it leaves it out. Events without the field are a group, too. */
const Group = ({ field, value, onFilter }: { field: string; value: string } & Pick<PipesTableProps, "onFilter">) => (
  <button
    type="button"
    className={classes("pipes-group", value === "" && "faint")}
    title="Only this; with Alt, without it"
    onClick={({ altKey }) =>
      value === "" ? onFilter(`${fieldOf(field)}:*`, !altKey) : onFilter(filterOf(field, value), altKey)
    }
  >
    {value === "" ? "(none)" : value}
  </button>
);
