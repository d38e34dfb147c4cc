/**
 * Errors as RFC 9457 problem details. What a user reads is written here or thrown as a Fault or QueryError on purpose;
 * anything else is answered with an id and told to the log only.
 */
import { Fault, type Log } from "@astralog/chassis";
import { QueryError } from "@astralog/schemas/query/index";
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { ZodError, z } from "zod";

/** Code to status and title. Every answer that is no success carries one of these codes. */
const problems = {
  invalid_request: [400, "The request is not valid"],
  invalid_query: [400, "The query is not valid"],
  invalid_cursor: [400, "The cursor is not valid"],
  address_refused: [400, "The address may not be asked"],
  organization_needed: [400, "Say which organization"],
  unauthorized: [401, "The credentials are not accepted"],
  forbidden: [403, "This is not allowed"],
  sign_in_again: [403, "A sign-in a moment ago is needed"],
  mfa_required: [403, "The second factor is missing"],
  mfa_enrolment_required: [403, "The organization asks for a second factor"],
  account_disabled: [403, "The account is disabled"],
  cross_site: [403, "It came from another site"],
  link_elsewhere: [403, "The link belongs to another browser"],
  link_ended: [403, "The link has ended"],
  code_refused: [403, "The code is not accepted"],
  passkey_refused: [403, "The passkey is not accepted"],
  step_up_required: [403, "A second factor is needed"],
  sign_in_refused: [403, "The sign-in is refused"],
  sign_in_ended: [403, "The sign-in is over"],
  provider_refused: [403, "The provider let nobody in"],
  saml_refused: [403, "The SAML answer is not accepted"],
  xml_refused: [403, "The XML is not accepted"],
  sso_required: [403, "Single sign-on is required"],
  not_a_member: [403, "Not a member"],
  not_found: [404, "Not found"],
  method_not_allowed: [405, "Not with this method"],
  name_taken: [409, "The name is taken"],
  over_plan: [409, "The plan does not allow it"],
  already_decided: [409, "It is decided already"],
  in_use: [409, "It is in use"],
  on_hold: [409, "A hold keeps it"],
  not_ready: [409, "It is not ready yet"],
  last_owner: [409, "The last owner stays"],
  already_member: [409, "A member already"],
  too_many: [409, "There are enough of these"],
  email_taken: [409, "The address is taken"],
  factor_exists: [409, "There is one already"],
  domain_unproven: [409, "The domain is not proven"],
  domain_taken: [409, "The domain is another's"],
  sso_not_ready: [409, "Single sign-on is not ready"],
  key_ended: [409, "The key has ended"],
  producer_ended: [409, "The producer has ended"],
  bucket_search_unavailable: [409, "Not on this installation"],
  bucket_encrypted: [409, "The bucket is encrypted"],
  takeout_unavailable: [409, "Not on this installation"],
  takeout_refused: [422, "The takeout is not accepted"],
  native_unavailable: [409, "Not on this installation"],
  cannot_replay: [409, "It cannot be replayed"],
  changed: [412, "It was changed meanwhile"],
  body_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "The body has the wrong form"],
  kept_elsewhere: [409, "The events are kept elsewhere"],
  storage_in_use: [409, "The storage is in use"],
  storage_unfit: [422, "The storage cannot be used"],
  query_too_expensive: [422, "The query costs too much"],
  too_many_requests: [429, "Too many requests"],
  caller_gone: [499, "The caller hung up"],
  internal: [500, "Something failed here"],
  provider_failed: [502, "The identity provider failed"],
  storage_refused: [502, "The connected storage refused"],
  storage_unreadable: [502, "An object in the bucket does not open"],
  storage_failed: [502, "The connected storage does not answer"],
  dns_unavailable: [503, "DNS does not answer"],
  kafka_unavailable: [503, "Kafka does not answer"],
  registry_unavailable: [503, "The schema registry does not answer"],
  postgres_unavailable: [503, "Postgres does not answer"],
  clickhouse_unavailable: [503, "ClickHouse does not answer"],
  busy: [503, "Too much at once"],
  starting: [503, "Still starting"],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof problems;
export const problemCodes = Object.keys(problems) as ProblemCode[];

export const sendProblem = (
  response: Response,
  code: ProblemCode,
  detail: string,
  more: Record<string, unknown> = {},
): void => {
  const [status, title] = problems[code];
  if (status === 401) response.setHeader("WWW-Authenticate", "Bearer");
  if (status === 503) response.setHeader("Retry-After", "1");
  response
    .status(status)
    .type("application/problem+json")
    .send(
      JSON.stringify({
        type: `urn:astralog:problem:${code}`,
        title,
        status,
        detail,
        code,
        request_id: response.locals.requestId as string,
        ...more,
      }),
    );
};

export const notFound: RequestHandler = (request, response) =>
  sendProblem(response, "not_found", `There is no ${request.method} ${request.path}.`);

/** Only these may have been meant for the user; their text holds nothing of ours. */
const isCode = (code: string): code is ProblemCode => Object.hasOwn(problems, code);

export const createErrorHandler =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, request: Request, response: Response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof QueryError) {
      return sendProblem(response, "invalid_query", error.message, {
        column: error.column,
        suggestion: error.suggestion,
      });
    }
    if (error instanceof ZodError)
      return sendProblem(response, "invalid_request", describe(error), { fields: fieldsOf(error) });
    if (error instanceof Fault && isCode(error.code)) {
      if (problems[error.code][0] >= 500) logFailure(log, request, response, error);
      return sendProblem(response, error.code, error.message);
    }
    // body-parser and the router carry a status for what the client did wrong.
    const status = (error as { status?: unknown }).status;
    if (status === 415) return sendProblem(response, "unsupported_media_type", "Send the body as plain UTF-8.");
    if (status === 413) return sendProblem(response, "body_too_large", "The body is larger than this takes.");
    if (typeof status === "number" && status >= 400 && status < 500) {
      return sendProblem(response, "invalid_request", "The body is not JSON, or the address is not valid.");
    }
    logFailure(log, request, response, error);
    return sendProblem(response, "internal", "It is logged under the request's id.");
  };

const logFailure = (log: Log, request: Request, response: Response, error: unknown): void =>
  void log.error(
    { err: error, request_id: response.locals.requestId as string, method: request.method, path: request.path },
    "a request failed",
  );

/** Who names a field that is none is told those that are. */
z.config({
  customError: (issue) => {
    if (issue.code !== "unrecognized_keys") return undefined;
    const unknown = issue.keys.map((key) => JSON.stringify(key.slice(0, 64))).join(", ");
    const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
    return `unknown field ${unknown}; ${known.length === 0 ? "there are none here" : `it may have ${known.slice(0, 40).join(", ")}`}`;
  },
});

/** Field to what is wrong with it, for a form. */
const fieldsOf = (error: ZodError): Record<string, string> =>
  Object.fromEntries(
    error.issues.slice(0, 100).map(({ path, message }) => [path.map(String).join(".").slice(0, 200), message]),
  );

/** Each wrong field with what is wrong about it. */
const describe = (error: ZodError): string =>
  error.issues
    .slice(0, 8)
    .map(({ code, path, message }) =>
      code === "unrecognized_keys" && path.length === 0
        ? message
        : `${path.map(String).join(".") || "the body"}: ${message}`,
    )
    .join("; ");
