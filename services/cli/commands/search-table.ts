/** What a query with pipes answers, as a table to read or as objects to pipe on. */
import { type TableAnswer, withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { table } from "../table.ts";
import { bytes, plural, printable } from "../text.ts";

interface Asked {
  readonly q: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly place: string | undefined;
  readonly limit: number;
  readonly json: boolean;
}

export const searchTable = async (
  { terminal, api }: Cli,
  { q, from, to, place, limit, json }: Asked,
): Promise<void> => {
  const { columns, rows, truncated, stats } = await api().call<TableAnswer>(
    "GET",
    withQuery("query", { q, from, to, place }),
    "query",
  );
  const { out, err, errColors } = terminal();
  const shown = rows.slice(0, limit);
  if (json) {
    for (const row of shown)
      out(`${JSON.stringify(Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])))}\n`);
  } else if (shown.length > 0) {
    const cell = (value: string | number | null | undefined): string =>
      typeof value === "number" ? String(Math.round(value * 1000) / 1000) : printable(value ?? "-");
    const right = columns.flatMap(({ type }, i) => (type === "number" ? [i] : []));
    const heads = columns.map(({ name }) => printable(name).toUpperCase());
    out(
      table(
        heads,
        shown.map((row) => row.map(cell)),
        right,
      ),
    );
  }
  const cost = `${plural(stats.rows, "row")}, ${bytes(stats.bytes)} read in ${Math.round(stats.ms)} ms`;
  if (shown.length === 0) err(`nothing found for ${q} (${cost})\n`);
  else if (truncated || shown.length < rows.length) {
    err(errColors.dim(`there are more rows: raise --limit or the query's | limit (${cost})\n`));
  } else if (terminal().interactive) err(errColors.dim(`${plural(shown.length, "row")} (${cost})\n`));
};
