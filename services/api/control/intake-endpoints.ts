/** Where events are sent to: what the first steps write into their examples. */
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";

export const createIntakeEndpoints = (url: string): Endpoint[] => [
  endpoint({
    ...{ method: "get", path: "/intake", access: "anyone", tag: "sources", summary: "The receiver's address" },
    success: { status: 200, body: z.object({ url: z.string().describe("Empty when nobody has told the server.") }) },
    handle: () => ({ url: url.replace(/\/+$/, "") }),
  }),
];
