/** What saved views, dashboards and annotations are made of. Fields that are not here are refused by name. */
import { z } from "zod";

const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{C}]*$/u, "may hold no control characters");
const query = z.string().max(4096);
const time = z.string().max(64);

/** Which page, and the parameters of its address; the page reads them as it reads any address. */
export const viewContent = z.strictObject({
  page: z.enum(["explore", "tail", "patterns"]),
  state: z
    .record(z.string().regex(/^\w{1,40}$/), z.string().max(4096))
    .refine((state) => Object.keys(state).length <= 20, "may have 20 parameters"),
});

const panel = z.strictObject({
  id: z.string().regex(/^\w{1,32}$/),
  title: text(100),
  kind: z.enum(["line", "bar", "table", "number"]),
  q: query,
  /** What a bar or table counts by; a line without it is parted by level. */
  field: z.string().max(200).default(""),
  /** Of twelve columns. */
  width: z.int().min(2).max(12).default(6),
  height: z.int().min(1).max(4).default(2),
});

export const dashboardContent = z.strictObject({
  range: z.strictObject({ from: time, to: time }),
  panels: z
    .array(panel)
    .max(40)
    .refine((panels) => new Set(panels.map(({ id }) => id)).size === panels.length, "have one id twice"),
  /** Fields that a reader may narrow all panels by. */
  variables: z
    .array(z.strictObject({ field: z.string().min(1).max(200), value: z.string().max(1000).default("") }))
    .max(8),
});

const common = { name: text(100), shared: z.boolean().default(false) };
const changes = { name: text(100).optional(), shared: z.boolean().optional() };

const shapesOf = <C extends z.ZodType>(content: C, plural: string) => {
  const shape = z.object({
    ...{ id: z.string(), name: z.string(), shared: z.boolean(), content, mine: z.boolean() },
    owner: z.strictObject({ id: z.string(), name: z.string() }),
    ...{ created_at: z.iso.datetime(), updated_at: z.iso.datetime() },
  });
  return {
    shape,
    list: z.object({ [plural]: z.array(shape), next: z.string().nullable() }),
    created: z.strictObject({ ...common, content }),
    changed: z
      .strictObject({ ...changes, content: content.optional() })
      .refine((given) => Object.keys(given).length > 0, "name at least one field to change"),
  };
};

export const viewShapes = shapesOf(viewContent, "views");
export const dashboardShapes = shapesOf(dashboardContent, "dashboards");

const instant = z.iso.datetime({ offset: true }).transform((written) => new Date(written));

export const newAnnotation = z
  .strictObject({
    kind: z.enum(["deploy", "alert", "note"]),
    title: text(200),
    service: z.string().max(200).default(""),
    /** Where more is said. */
    url: z.union([z.literal(""), z.url({ protocol: /^https?$/ }).max(2000)]).default(""),
    at: instant.default(() => new Date()),
    until: instant.optional(),
  })
  .refine(({ at, until }) => until === undefined || until >= at, "until: lies before at");

export const annotationQuery = z.strictObject({ from: time.optional(), to: time.optional() });

export const annotationShape = z.object({
  ...{ id: z.string(), kind: z.enum(["deploy", "alert", "note"]), title: z.string(), service: z.string() },
  ...{ url: z.string(), at: z.iso.datetime(), until: z.iso.datetime().nullable() },
  ...{ created_by: z.string(), created_at: z.iso.datetime() },
});
