import { expect, test } from "@jest/globals";
import { Validator } from "@seriousme/openapi-schema-validator";
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { createOpenApi, openApiOf } from "./openapi.ts";

const rename = endpoint({
  ...{ method: "patch", path: "/things/:id/names/:lang", access: "sources.write", tag: "things", summary: "Rename it" },
  query: z.strictObject({ loud: z.coerce.boolean().optional().describe("In capitals.") }),
  body: z.strictObject({ name: z.string().max(3), at: z.iso.datetime().transform((text) => new Date(text)) }),
  success: { status: 200, body: z.object({ name: z.string() }) },
  etag: true,
  handle: ({ params, query, body }) => ({ name: `${params.id}${params.lang}${query.loud}${body.at.getTime()}` }),
});

test("the document is valid OpenAPI 3.1, and says what the endpoint says", async () => {
  const document = openApiOf([rename, createOpenApi([rename])]);
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  const { patch } =
    (document.paths as Record<string, { patch: Record<string, unknown> }>)["/things/{id}/names/{lang}"] ?? {};
  expect(patch).toMatchObject({
    operationId: "patchThingsIdNamesLang",
    parameters: [
      { name: "id", in: "path", required: true },
      { name: "lang", in: "path", required: true },
      { name: "loud", in: "query", required: false, description: "In capitals." },
      { name: "If-Match", in: "header", required: false },
    ],
    requestBody: {
      required: true,
      content: { "application/json": { schema: { required: ["name", "at"], additionalProperties: false } } },
    },
    responses: { 200: { headers: { ETag: {} } }, default: {} },
  });
  expect(patch?.description).toContain("sources.write");
});
