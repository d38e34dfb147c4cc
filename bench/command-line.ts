/** What was asked for on the command line. Help and a wrong request are answered with words, not with a stack. */
export const readCommandLine = <T>(usage: string, read: (args: readonly string[]) => T): T => {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return read(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exit(2);
  }
};

export const wholeNumber = (text: string, name: string): number => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new Error(`--${name} is "${text}"; it takes a whole number from 1.`);
  return n;
};
