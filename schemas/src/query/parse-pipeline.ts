/** Text to a pipeline: a query, and the stages behind its pipes. */
import type { SyntaxNode } from "@lezer/common";
import { queryLimits } from "./limits.ts";
import { buildQuery, type ParseContext, readTree } from "./parse.ts";
import { nameOfField, type Pipeline, type Stage } from "./pipeline.ts";
import { QueryError } from "./query-error.ts";
import { readStage } from "./stages.ts";

/** Throws QueryError. Without pipes it is what parseQuery says, with no stages. */
export const parsePipeline = (input: string, context: ParseContext): Pipeline => {
  const { top, state } = readTree(input, context);
  const nodes = top.getChildren("Pipe");
  if (nodes.length > queryLimits.stages) {
    throw new QueryError(
      `A query may have ${queryLimits.stages} stages.`,
      (nodes[queryLimits.stages]?.from ?? 0) + 1,
      "Leave some out, or ask two queries.",
    );
  }
  const first = top.firstChild;
  const filter = first === null || first.name === "Pipe" ? ({ type: "all" } as const) : buildQuery(first, state);
  const stages: Stage[] = [];
  let columns: readonly string[] | undefined;
  for (const pipe of nodes) {
    const made = stageOf(pipe, state, columns);
    stages.push(...made);
    for (const stage of made) columns = columnsAfter(stage, columns);
  }
  return { filter, stages };
};

const stageOf = (
  pipe: SyntaxNode,
  state: Parameters<typeof readStage>[1],
  columns: readonly string[] | undefined,
): Stage[] => {
  const where = pipe.getChild("Where");
  const condition = where?.lastChild;
  if (where && condition) return [{ type: "where", query: buildQuery(condition, state) }];
  const stage = pipe.getChild("Stage");
  if (stage === null)
    throw new QueryError("A | has nothing behind it.", pipe.from + 1, "Write for example | stats count().");
  return readStage(stage, state, columns);
};

export const columnsAfter = (stage: Stage, before: readonly string[] | undefined): readonly string[] | undefined => {
  switch (stage.type) {
    case "stats":
      return [...stage.by, ...stage.aggregates].map(({ column }) => column);
    case "patterns":
      return ["pattern", "count()", "share", "example"];
    case "fields":
      return stage.fields.map(nameOfField);
    default:
      return before;
  }
};
