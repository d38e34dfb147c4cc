/** Answers and broken connections as failures a person can act on. */
import { mayRetry } from "./backoff.ts";
import { Failure, PassingFailure } from "./failure.ts";
import type { Answer } from "./http.ts";
import { printable } from "./text.ts";

/** The fields of an application/problem+json body that are shown. */
interface Problem {
  title?: unknown;
  detail?: unknown;
  message?: unknown;
  error?: unknown;
  code?: unknown;
  request_id?: unknown;
}

const words = (value: unknown): string => (typeof value === "string" ? printable(value).trim() : "");

/** What the server says in a sentence, with its code, or its status when it says nothing. */
export const reasonOf = (answer: Answer): string => {
  let problem: Problem = {};
  try {
    problem = JSON.parse(answer.body) as Problem;
  } catch {
    // Something between here and the server answered.
  }
  const said = words(problem.detail) || words(problem.message) || words(problem.error) || words(problem.title);
  const code = words(problem.code);
  return `${said || `the server answered ${answer.status}`}${code === "" ? "" : ` (${code})`}`;
};

const fixes: Record<number, string> = {
  401: "The key is unknown, mistyped, expired or revoked. See the keys that exist with: astralog keys list",
  403: "The key is not allowed to do this: sending needs an ingest key, searching a query key, the rest an admin key.",
  404: "Is this the address of an Astralog of this version?",
};

export const answerFailure = (answer: Answer): Failure =>
  new (mayRetry(answer.status) ? PassingFailure : Failure)(
    reasonOf(answer),
    answer.status === 404 && answer.body.includes('"code"') ? "" : (fixes[answer.status] ?? ""),
  );

const causes: Record<string, string> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "no answer came in time",
};

/** The short reason of a connection that broke. */
export const networkReason = (error: unknown): string => {
  const {
    code = "",
    message = "",
    errors,
  } = error as { code?: string; message?: string; errors?: { code?: string }[] };
  const known = code || (errors?.[0]?.code ?? "");
  return causes[known] ?? (message || known || "the connection failed");
};

const untrusted = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_|ERR_TLS/;

/** Whether another try cannot help: the server's certificate is not trusted. */
export const isTrustFailure = (error: unknown): boolean => untrusted.test((error as { code?: string }).code ?? "");

export const networkFailure = (error: unknown, url: URL): Failure => {
  if (isTrustFailure(error)) {
    return new Failure(
      `The certificate of ${url.origin} is not trusted: ${networkReason(error)}.`,
      "Set ASTRALOG_CA to the PEM file of the authority that signed it.",
    );
  }
  return new PassingFailure(
    `${url.origin} cannot be reached: ${networkReason(error)}.`,
    "Is Astralog running? npm start",
  );
};
