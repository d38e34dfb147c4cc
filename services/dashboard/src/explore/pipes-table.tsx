/** What a query with pipes makes of the events, in place of their list. */
import { Empty, Failed, Waiting } from "../ui/states.tsx";
import { formatBytes, formatDuration, number } from "../ui/time.ts";
import { type Asked, type Table, useTable } from "./data.ts";

export const PipesTable = ({ asked, onRetry }: { asked: Asked; onRetry: () => void }) => {
  const { data, error, isPending } = useTable(asked);
  if (error !== null) return <Failed what="This query failed" error={error} onRetry={onRetry} />;
  if (isPending) return <Waiting what="Counting" />;
  if (data.rows.length === 0) return <Empty title="There is nothing to count" />;
  return (
    <div className="pipes">
      <p className="small soft figures">
        {number.format(data.rows.length)}
        {data.truncated ? "+" : ""} rows · read {number.format(data.stats.rows)} rows, {formatBytes(data.stats.bytes)}{" "}
        in {formatDuration(data.stats.ms)}
      </p>
      <Rows table={data} />
    </div>
  );
};

const cell = (value: string | number | null): string =>
  value === null ? "–" : typeof value === "number" ? number.format(value) : value;

const Rows = ({ table: { columns, rows } }: { table: Table }) => (
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
      {rows.map((row) => (
        <tr key={JSON.stringify(row)}>
          {columns.map(({ name, type }, i) => (
            <td key={name} className={type === "number" ? "figures" : "mono"}>
              {cell(row[i] ?? null)}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);
