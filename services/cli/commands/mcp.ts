import type { Command } from "commander";
import type { Cli } from "../cli.ts";

const help = `
It speaks on standard input and output, as programs with a language model start it. In their configuration:

  { "mcpServers": { "astralog": { "command": "npx", "args": ["astralog", "mcp"],
    "env": { "ASTRALOG_API": "https://…", "ASTRALOG_QUERY_KEY": "al_qry_…" } } } }

Its tools read only, with the rights of the query key: search, histogram, facets, fields, patterns, event_context,
trace, query_reference. Answers are bounded, and redacted as everything that is stored.`;

/** `mcp`. */
export const addMcp = (program: Command, { api, stop }: Cli): void => {
  program
    .command("mcp")
    .summary("let a language model ask")
    .description("Serves the Model Context Protocol, so that a language model can search and count events.")
    .addHelpText("after", help)
    .action(async () => {
      // Loaded when it is asked for: no other command should wait for it.
      const { StdioServerTransport } = await import("@modelcontextprotocol/sdk/server/stdio.js");
      const { createMcpServer } = await import("../mcp/server.ts");
      const server = createMcpServer(api());
      const ended = new Promise<void>((resolve) => {
        server.server.onclose = resolve;
        process.stdin.once("end", resolve);
        stop().addEventListener("abort", () => resolve(), { once: true });
      });
      await server.connect(new StdioServerTransport());
      await ended;
      await server.close();
    });
};
