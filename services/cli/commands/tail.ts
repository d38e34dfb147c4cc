import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { followTail } from "../follow-tail.ts";

const help = `
Events are printed as they are acknowledged, before they are stored. Ctrl-C ends it.

Examples:
  astralog tail
  astralog tail 'level:>=warn service:checkout'
  astralog tail 'status:>=500' --json | jq -r .message`;

/** `tail [query]`. */
export const addTail = (program: Command, cli: Cli): void => {
  program
    .command("tail")
    .summary("watch events as they come")
    .description("Prints events as they come, by the same query as search.")
    .argument("[query]", "what to show; quote it for the shell", "")
    .option("--json", "print one JSON object a line, with every field")
    .addHelpText("after", help)
    .action((q: string, { json }: { json?: true }) => followTail(cli, q, { json: json === true }));
};
