/** Every way a request can be refused: the code a client can rely on, its status, and whether to try again. */

interface Kind {
  readonly status: number;
  /** Seconds after which the same request may succeed; absent when it never will. */
  readonly retryAfter?: number;
}

export const refusalKinds = {
  key_missing: { status: 401 },
  key_malformed: { status: 401 },
  key_unknown: { status: 401 },
  key_expired: { status: 401 },
  key_revoked: { status: 401 },
  key_in_url: { status: 400 },
  key_wrong_kind: { status: 403 },
  address_not_allowed: { status: 403 },
  source_disabled: { status: 403 },
  source_unknown: { status: 503, retryAfter: 1 },
  too_many_failures: { status: 429, retryAfter: 5 },
  rate_limited: { status: 429, retryAfter: 1 },
  quota_exhausted: { status: 429, retryAfter: 60 },
  overloaded: { status: 503, retryAfter: 1 },
  not_ready: { status: 503, retryAfter: 2 },
  kafka_unavailable: { status: 503, retryAfter: 2 },
  stopping: { status: 503, retryAfter: 1 },
  route_unknown: { status: 404 },
  method_not_allowed: { status: 405 },
  request_timeout: { status: 408 },
  client_gone: { status: 400 },
  content_type_unsupported: { status: 415 },
  encoding_unsupported: { status: 415 },
  encoding_malformed: { status: 400 },
  body_too_large: { status: 413 },
  body_empty: { status: 400 },
  body_malformed: { status: 400 },
  not_utf8: { status: 400 },
  too_deep: { status: 400 },
  too_many_rejected: { status: 400 },
  parameter_unknown: { status: 400 },
  parameter_invalid: { status: 400 },
  idempotency_key_invalid: { status: 400 },
  record_refused: { status: 400 },
  internal: { status: 500 },
} as const satisfies Record<string, Kind>;

export type RefusalCode = keyof typeof refusalKinds;

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly status: number;
  /** Seconds; undefined when trying again cannot help. */
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** What the message says, for programs; protocols with words of their own leave it out. */
  readonly details: Readonly<Record<string, string | number>>;
  constructor(
    code: RefusalCode,
    message: string,
    options: {
      retryAfter?: number;
      headers?: Readonly<Record<string, string>>;
      details?: Readonly<Record<string, string | number>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    const kind: Kind = refusalKinds[code];
    this.code = code;
    this.status = kind.status;
    this.retryAfter = options.retryAfter ?? kind.retryAfter;
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }
}
