/**
 * An error that somebody else will read: a stable code, what happened, and whether the same call may succeed later.
 * Callers decide by `code` and `retriable`, never by the message.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: string;
  readonly retriable: boolean;
  constructor(code: string, message: string, options: { retriable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retriable = options.retriable ?? false;
  }
}
