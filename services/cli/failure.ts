/** What went wrong, for the person at the keyboard: one line of what, and where it helps one of what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: number;
  constructor(what: string, fix = "", exitCode = 1) {
    super(fix === "" ? what : `${what}\n${fix}`);
    this.exitCode = exitCode;
  }
}

/** One that may be over when the same is tried again. */
export class PassingFailure extends Failure {}
