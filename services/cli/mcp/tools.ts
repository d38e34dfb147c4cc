/**
 * The tools that `astralog mcp` offers to a model: the api's own questions, with the rights of the key and nothing more.
 * Answers are bounded, so that one question cannot fill a model's memory or cost more than a person's search may.
 */
import { z } from "zod";
import { type Api, type FoundEvent, withQuery } from "../api.ts";
import { queryReference } from "./query-reference.ts";

/** Most events one answer holds, and most characters of it: about what a model reads with care. */
export const answerLimits = { events: 50, characters: 40_000, message: 2_000 } as const;
/** Without a beginning a question looks at this much. */
const defaultFrom = "-1h";

const q = z.string().max(4096).default("").describe("A query in the language that query_reference explains.");
const time = (about: string) => z.string().max(64).optional().describe(`${about}: RFC 3339, or -15m, -24h, -7d.`);
const span = { from: time("Not before, an hour ago unless told"), to: time("Before, now unless told") };

interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodRawShape;
  run(given: Record<string, unknown>): Promise<unknown>;
}

const short = (text: string): string =>
  text.length <= answerLimits.message ? text : `${text.slice(0, answerLimits.message)}… (${text.length} characters)`;

/** Without what is empty, and no field longer than a person would read. */
const brief = (event: FoundEvent): Record<string, unknown> => ({
  id: event.id,
  timestamp: event.timestamp,
  level: event.level,
  service: event.service,
  ...(event.host === "" ? {} : { host: event.host }),
  source: event.source,
  message: short(event.message),
  ...(event.trace_id === "" ? {} : { trace_id: event.trace_id, span_id: event.span_id }),
  attributes: Object.fromEntries(
    Object.entries(event.attributes).map(([name, value]) => [name, typeof value === "string" ? short(value) : value]),
  ),
});

export const createTools = (api: Api): readonly Tool[] => {
  const ask = <T>(path: string, parameters: Record<string, unknown> = {}): Promise<T> =>
    api.call<T>(
      "GET",
      withQuery(
        path,
        Object.fromEntries(
          Object.entries(parameters).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
        ),
      ),
      "query",
    );
  const within = ({ from, to }: Record<string, unknown>) => ({ from: from ?? defaultFrom, to });
  return [
    {
      name: "search",
      title: "Search events",
      description: "Events that a query finds, newest first. `next` continues where an answer ended.",
      input: {
        q,
        ...span,
        limit: z.number().int().min(1).max(answerLimits.events).default(20),
        cursor: z.string().max(1000).optional().describe("`next` of the answer before."),
      },
      run: async (given) => {
        const asked = { q: given.q, ...within(given), limit: given.limit, cursor: given.cursor };
        const { events, ...rest } = await ask<{ events: FoundEvent[] }>("search", asked);
        return { events: events.map(brief), ...rest };
      },
    },
    {
      name: "histogram",
      title: "Count over time",
      description: "How many events of each level lie in each stretch of time; empty stretches are left out.",
      input: { q, ...span, buckets: z.number().int().min(1).max(100).default(30) },
      run: async (given) => {
        const answer = await ask<{ buckets: { at: string; counts: Record<string, number> }[] }>("histogram", {
          ...{ q: given.q, buckets: given.buckets },
          ...within(given),
        });
        const buckets = answer.buckets
          .map(({ at, counts }) => ({ at, ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)) }))
          .filter((bucket) => Object.keys(bucket).length > 1);
        return { ...answer, buckets };
      },
    },
    {
      name: "facets",
      title: "Top values",
      description: "The most frequent values of fields, with counts, and in what share of the events each field is.",
      input: {
        q,
        ...span,
        fields: z.array(z.string().max(200)).min(1).max(12).default(["level", "service", "host", "source"]),
        limit: z.number().int().min(1).max(50).default(10),
      },
      run: (given) =>
        ask("facets", {
          ...{ q: given.q, limit: given.limit, fields: (given.fields as string[]).join(",") },
          ...within(given),
        }),
    },
    {
      name: "fields",
      title: "Which fields there are",
      description: "The names of fields, their types, and in what share of the events each is. Ask it before guessing.",
      input: span,
      run: (given) => ask("fields", within(given)),
    },
    {
      name: "patterns",
      title: "What was said",
      description:
        "The shapes of messages (numbers and ids taken out) with counts, and which are new against the period before. The quickest way to see what changed.",
      input: { q, ...span, limit: z.number().int().min(1).max(100).default(40) },
      run: async (given) => {
        const answer = await ask<{ patterns: { example: string }[] }>("patterns", {
          ...{ q: given.q, limit: given.limit },
          ...within(given),
        });
        return { ...answer, patterns: answer.patterns.map((one) => ({ ...one, example: short(one.example) })) };
      },
    },
    {
      name: "event_context",
      title: "Around one event",
      description: "What the same source, service and host said just before and after an event.",
      input: {
        id: z.string().max(300).describe("An event's id, such as 3-1742-0."),
        before: z.number().int().min(0).max(25).default(10),
        after: z.number().int().min(0).max(25).default(10),
      },
      run: async ({ id, before, after }) => {
        const path = `events/${encodeURIComponent(id as string)}/context`;
        const answer = await ask<Record<"before" | "after", FoundEvent[]> & { event: FoundEvent }>(path, {
          before,
          after,
        });
        return { before: answer.before.map(brief), event: brief(answer.event), after: answer.after.map(brief) };
      },
    },
    {
      name: "trace",
      title: "One trace",
      description: "Every stored event of a trace, in order; of very long ones the beginning.",
      input: { trace_id: z.string().regex(/^[0-9a-fA-F]{1,32}$/) },
      run: async ({ trace_id: id }) => {
        const { events, more } = await ask<{ events: FoundEvent[]; more: boolean }>(`traces/${id as string}`);
        return {
          events: events.slice(0, answerLimits.events * 2).map(brief),
          more: more || events.length > answerLimits.events * 2,
        };
      },
    },
    {
      name: "query_reference",
      title: "The query language",
      description: "How queries are written, with examples. Read it before the first search.",
      input: {},
      run: async () => queryReference,
    },
  ];
};

/** As text, never longer than an answer may be; what is cut is said. */
export const textOf = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.length <= answerLimits.characters) return text;
  return `${text.slice(0, answerLimits.characters)}\n… cut: ${text.length} characters. Narrow the query, or ask for fewer.`;
};
