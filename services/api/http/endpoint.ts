/**
 * One route of the api as data: who may call it, what it takes, what it answers. The server mounts it, the OpenAPI
 * document describes it, and a test walks every one of them with every role, all from these same values.
 */
import type { Permission } from "@astralog/schemas";
import type { Request, Response } from "express";
import { z } from "zod";
import type { Caller, Person } from "./caller.ts";
import type { Unchanged } from "./etag.ts";

/**
 * A permission; or no credentials at all; or any person with a session, in whatever organization; or whoever has any
 * permission in the organization acted in.
 */
export type Access = Permission | "anyone" | "signed-in" | "member";
export type Method = "get" | "post" | "put" | "patch" | "delete";

type AskerFor<A extends Access> = A extends "anyone" ? undefined : A extends "signed-in" ? Person : Caller;

/** `/keys/:id/rotate` has { id: string }. */
type ParamNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamNames<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;
type PathParams<Path extends string> = { [Name in ParamNames<Path>]: string };

/** What a handler is given. */
export interface Input<A extends Access, Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: AskerFor<A>;
  /** With `etag`: call it with what is stored now, while it is locked. */
  readonly unchanged: Unchanged;
  readonly request: Request;
  readonly response: Response;
}

export interface Success {
  readonly status: 200 | 201 | 202 | 204 | 302 | 303;
  readonly body?: z.ZodType;
  /** Media type of an answer that is not JSON. */
  readonly content?: string;
}

interface Spec<A extends Access, Path extends string, Params, Query, Body> {
  readonly method: Method;
  /** Below /api/v1, in Express' form: "/sources/:id". */
  readonly path: Path;
  readonly access: A;
  readonly tag: string;
  readonly summary: string;
  /** Without it each parameter is text. */
  readonly params?: z.ZodType<Params>;
  /** Without it the route takes no query. A parameter given twice is refused. */
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** JSON unless told otherwise; `bytes` gives a Buffer, or undefined when nothing came. */
  readonly takes?: "json" | "form" | "bytes";
  /** In express' form; 64 KiB unless told otherwise. Read only once the caller may do what he asks for. */
  readonly bodyLimit?: string;
  readonly success: Success;
  /** The answer carries an ETag, and If-Match is held against it. */
  readonly etag?: true;
  /** People must have proven a second factor a moment ago; keys are not asked. */
  readonly stepUp?: true;
  /** Its value is the answer; undefined when it wrote the answer itself. */
  handle(input: Input<A, Params, Query, Body>): unknown;
}

export interface Endpoint extends Omit<Spec<Access, string, unknown, unknown, unknown>, "handle"> {
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  handle(input: Omit<Input<Access, unknown, unknown, unknown>, "caller"> & { caller: unknown }): unknown;
}

/** The names in a path, in order. */
export const paramNames = (path: string): string[] => [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);

const paramsOf = (path: string): z.ZodType =>
  z.strictObject(Object.fromEntries(paramNames(path).map((name) => [name, z.string().min(1).max(1_000)])));

const noQuery = z.strictObject({});

export const endpoint = <
  A extends Access,
  Path extends string,
  Params = PathParams<Path>,
  Query = Record<never, never>,
  Body = undefined,
>(
  spec: Spec<A, Path, Params, Query, Body>,
): Endpoint =>
  // Sound because `mount` gives a handler exactly what its own schemas and its access made.
  ({ ...spec, params: spec.params ?? paramsOf(spec.path), query: spec.query ?? noQuery }) as unknown as Endpoint;
