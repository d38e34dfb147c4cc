/** The life of a command that does one thing and ends: 0 when it did, 1 when it failed, 2 when its configuration is wrong. */
import { ConfigError } from "./config.ts";
import { Fault } from "./fault.ts";

export const oneShot = async (name: string, command: () => Promise<void>): Promise<void> => {
  try {
    await command();
  } catch (error) {
    process.exitCode = error instanceof ConfigError ? 2 : 1;
    process.stderr.write(`${name}: ${describe(error)}\n`);
  }
};

/** One line per cause: what operators need, without a stack. */
const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const code = error instanceof Fault ? error.code : (error as { code?: unknown }).code;
  const line = `${error.message || error.name}${typeof code === "string" ? ` (${code})` : ""}`;
  if (error instanceof AggregateError && error.errors.length > 0)
    return `${line}\n  because ${describe(error.errors[0])}`;
  return error.cause === undefined ? line : `${line}\n  because ${describe(error.cause)}`;
};
