/** The command line as a tree. */
import { Command } from "commander";
import type { Cli } from "./cli.ts";
import { addAlerts } from "./commands/alerts.ts";
import { addAudit } from "./commands/audit.ts";
import { addClickHouse } from "./commands/clickhouse.ts";
import { addDead } from "./commands/dead.ts";
import { addDeletions } from "./commands/deletions.ts";
import { addKeys } from "./commands/keys.ts";
import { addMcp } from "./commands/mcp.ts";
import { addMembers } from "./commands/members.ts";
import { addProducers } from "./commands/producers.ts";
import { addReceipt } from "./commands/receipt.ts";
import { addRehydrations } from "./commands/rehydrations.ts";
import { addRetention } from "./commands/retention.ts";
import { addSearch } from "./commands/search.ts";
import { addSend } from "./commands/send.ts";
import { addSources } from "./commands/sources.ts";
import { addStorage } from "./commands/storage.ts";
import { addTail } from "./commands/tail.ts";
import { addTakeout } from "./commands/takeout.ts";
import { addUsage } from "./commands/usage.ts";
import { addVerify } from "./commands/verify.ts";

const help = `
Where and with which keys: from the nearest .astralog/run.json (npm start writes it), or from the environment:
  ASTRALOG_RECEIVER, ASTRALOG_API                                    https://… of the two servers
  ASTRALOG_INGEST_KEY, ASTRALOG_QUERY_KEY, ASTRALOG_ADMIN_KEY        their keys
  ASTRALOG_CA                                                        PEM file, when the authority is your own
When an address is set, run.json is not read: its keys are for its own servers only.

Exit codes: 0 done, 1 failed or not clean, 2 wrong use, 130 stopped by Ctrl-C.`;

export const createProgram = (cli: Cli): Command => {
  const program = new Command("astralog")
    .description("Sends and finds events, and proves what was stored.")
    .version("0.1.0", "-v, --version", "print the version")
    .helpOption("-h, --help", "print what there is to know")
    .helpCommand(false)
    .configureHelp({ helpWidth: 110 })
    .showSuggestionAfterError(true)
    .showHelpAfterError("See --help.")
    .addHelpText("after", help)
    // Inherited by the commands below: a wrong use throws instead of ending the process.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.terminal().out(text),
      writeErr: (text) => cli.terminal().err(text),
      outputError: (text, write) => write(text.replace(/^error: /, `${cli.terminal().errColors.red("astralog:")} `)),
    });
  for (const add of [
    ...[addSend, addSearch, addTail, addSources, addKeys, addProducers, addMembers],
    ...[addReceipt, addVerify, addDead, addAlerts, addStorage, addClickHouse, addAudit, addUsage, addMcp],
    ...[addRetention, addDeletions, addRehydrations, addTakeout],
  ])
    add(program, cli);
  return program;
};
