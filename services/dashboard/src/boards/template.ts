/** A first dashboard out of what an organization sends: its own services, its own errors. */
import { get } from "../api/client.ts";
import type { Facet } from "../explore/data.ts";
import type { BoardContent, Panel } from "./data.ts";

const panel = (id: string, title: string, kind: Panel["kind"], rest: Partial<Panel> = {}): Panel => ({
  ...{ id, title, kind, q: "", field: "", width: 6, height: 2 },
  ...rest,
});

/** From the values that each field has in the last day. */
export const templateOf = (facets: readonly Pick<Facet, "field" | "values">[]): BoardContent => {
  const has = (field: string): boolean => (facets.find((one) => one.field === field)?.values.length ?? 0) > 1;
  const by = has("service") ? "service" : has("source") ? "source" : "host";
  return {
    range: { from: "-1h", to: "" },
    variables: [{ field: by, value: "" }],
    panels: [
      panel("events", "Events", "number", { width: 3, height: 1 }),
      panel("warnings", "Warnings", "number", { q: "level:warn", width: 3, height: 1 }),
      panel("errors", "Errors", "number", { q: "level:>=error", width: 3, height: 1 }),
      panel("silent", "Without a level", "number", { q: "-level:*", width: 3, height: 1 }),
      panel("levels", "Events by level", "line", { width: 6 }),
      panel("services", `Events by ${by}`, "line", { field: by, width: 6 }),
      panel("failing", `Errors by ${by}`, "bar", { q: "level:>=error", field: by, width: 4 }),
      panel("latest", "Latest errors", "table", { q: "level:>=error", width: 8 }),
    ],
  };
};

export const makeTemplate = async (): Promise<BoardContent> => {
  const { facets } = await get<{ facets: readonly Facet[] }>("/facets?from=-24h&fields=service,source,host&limit=3");
  return templateOf(facets);
};

export const emptyBoard: BoardContent = { range: { from: "-1h", to: "" }, variables: [], panels: [] };
