/** The OpenAPI 3.1 document, from the same endpoints and schemas that serve and validate; so it cannot say otherwise. */
import { operatorPermissions, permissions } from "@astralog/schemas";
import { z } from "zod";
import { type Endpoint, endpoint, paramNames } from "./endpoint.ts";
import { problemCodes } from "./problems.ts";

type Json = Record<string, unknown>;

/** As JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. */
const schemaOf = (schema: z.ZodType, io: "input" | "output"): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
  return json;
};

const propertiesOf = (schema: z.ZodType): { properties: Record<string, Json>; required: string[] } => {
  const { properties = {}, required = [] } = schemaOf(schema, "input");
  return { properties: properties as Record<string, Json>, required: required as string[] };
};

const parameter = (place: "path" | "query", name: string, schema: Json, required: boolean): Json => {
  const { description, ...rest } = schema;
  return { name, in: place, required, schema: rest, ...(description === undefined ? {} : { description }) };
};

const parametersOf = ({ path, params, query, etag, method }: Endpoint): Json[] => {
  const inPath = propertiesOf(params).properties;
  const inQuery = propertiesOf(query);
  const match = parameter("path", "If-Match", { type: "string", description: "The ETag of what was seen." }, false);
  return [
    ...paramNames(path).map((name) => parameter("path", name, inPath[name] ?? { type: "string" }, true)),
    ...Object.entries(inQuery.properties).map(([name, schema]) =>
      parameter("query", name, schema, inQuery.required.includes(name)),
    ),
    ...(etag === true && method !== "get" ? [{ ...match, in: "header" }] : []),
  ];
};

const mediaTypes = {
  json: "application/json",
  form: "application/x-www-form-urlencoded",
  bytes: "application/octet-stream",
} as const;

const requestBodyOf = ({ body, takes = "json" }: Endpoint): Json => {
  if (body === undefined && takes === "json") return {};
  const schema = body === undefined ? {} : schemaOf(body, "input");
  const required = ((schema.required as string[] | undefined) ?? []).length > 0;
  return { requestBody: { required, content: { [mediaTypes[takes]]: { schema } } } };
};

const successOf = ({ success, etag }: Endpoint): Json => {
  const { status, body, content } = success;
  const schema = body === undefined ? {} : schemaOf(body, "output");
  const type = content ?? (body === undefined ? undefined : "application/json");
  return {
    description: { 200: "Done.", 201: "Made.", 202: "Taken.", 204: "Done.", 302: "Elsewhere.", 303: "Elsewhere." }[
      status
    ],
    ...(type === undefined ? {} : { content: { [type]: { schema } } }),
    ...(etag === true ? { headers: { ETag: { schema: { type: "string" } } } } : {}),
  };
};

const meaningOf = (access: Endpoint["access"]): string => {
  if (access === "anyone") return "Needs no credentials.";
  if (access === "signed-in") return "Needs a session.";
  if (access === "member") return "Needs any permission in the organization.";
  const all: Record<string, string> = { ...permissions, ...operatorPermissions };
  return `Needs the permission \`${access}\`: ${all[access]}`;
};

const operationOf = (one: Endpoint): Json => ({
  operationId: `${one.method}${one.path.replaceAll(/[/:.-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
  tags: [one.tag],
  summary: one.summary,
  description: `${meaningOf(one.access)}${one.stepUp === true ? " People must have proven a second factor a moment ago." : ""}`,
  security:
    one.access === "anyone" ? [] : one.access === "signed-in" ? [{ session: [] }] : [{ key: [] }, { session: [] }],
  // For tools that check who can reach what.
  "x-astralog-access": one.access,
  ...(one.stepUp === true ? { "x-astralog-step-up": true } : {}),
  parameters: parametersOf(one),
  ...requestBodyOf(one),
  responses: { [one.success.status]: successOf(one), default: { $ref: "#/components/responses/Problem" } },
});

const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(problemCodes),
  request_id: z.string(),
  fields: z.record(z.string(), z.string()).optional().describe("Field of the body to what is wrong with it."),
});

export const openApiOf = (endpoints: readonly Endpoint[]): Json => {
  const paths: Record<string, Json> = {};
  for (const one of endpoints) {
    const path = one.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [one.method]: operationOf(one) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Astralog",
      version: "1",
      description:
        "Search, and everything that concerns an organization. People who belong to several organizations name the one they act in by the header Astralog-Organization.",
    },
    servers: [{ url: "/api/v1" }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "__Host-session" },
      },
      responses: {
        Problem: {
          description: "What went wrong (RFC 9457); programs go by `code`.",
          content: { "application/problem+json": { schema: schemaOf(problem, "output") } },
        },
      },
    },
  };
};

/** The document describes itself too. */
export const createOpenApi = (endpoints: readonly Endpoint[]): Endpoint => {
  const itself = endpoint({
    method: "get",
    path: "/openapi.json",
    access: "anyone",
    tag: "api",
    summary: "This document",
    success: { status: 200, body: z.looseObject({ openapi: z.string() }) },
    handle: () => document,
  });
  const document = openApiOf([...endpoints, itself]);
  return itself;
};
