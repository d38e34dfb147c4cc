import { text } from "node:stream/consumers";
import { ownModes, ownSetupSql } from "@astralog/schemas/own-clickhouse";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { bytes, count, printable } from "../text.ts";

interface Connection {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly database: string;
  readonly cluster: string;
  readonly mode: string;
  readonly server_version: string;
  readonly problem: string;
}

interface Status {
  readonly connection: string;
  readonly state: string;
  readonly lag: number;
  readonly records: number;
  readonly events: number;
  readonly bytes: number;
  readonly last_stored_at: string | null;
  readonly problem: { readonly code: string; readonly detail: string; readonly since: string } | null;
}

interface Probe {
  readonly ok: boolean;
  readonly server_version: string;
  readonly grants: readonly string[];
  readonly problem: string;
}

const help = `
Passwords are read from standard input, so that they stand in no shell history. See docs/your-own-clickhouse.md.`;

/** `clickhouse list | grants | connect | status | mode | password | probe | disconnect`. */
export const addClickHouse = (program: Command, cli: Cli): void => {
  const { terminal, api } = cli;
  const path = (id: string): string => `storage/clickhouse/${encodeURIComponent(id)}`;
  const readPassword = async (): Promise<string> => {
    if (terminal().interactive) terminal().err("Password, then Enter and Ctrl-D: ");
    const password = (await text(terminal().input)).replace(/\r?\n$/, "");
    if (password === "") throw new Failure("There is no password on standard input.", "Pipe it in: … < password.txt");
    return password;
  };
  const clickhouse = program
    .command("clickhouse")
    .summary("ClickHouse servers of your own")
    .description("ClickHouse servers of the organization's own, where its events are kept beside Astralog or instead.")
    .addHelpText("after", help);

  clickhouse
    .command("list", { isDefault: true })
    .description("Lists the connections.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const { connections } = await api().call<{ connections: Connection[] }>("GET", "storage/clickhouse", "admin");
      if (json === true) {
        for (const one of connections) terminal().out(`${JSON.stringify(one)}\n`);
        return;
      }
      const rows = connections.map((one) => [
        ...[one.id, printable(one.name), `${one.url}/${one.database}`, printable(one.server_version), one.mode],
        one.problem === "" ? "fit" : printable(one.problem),
      ]);
      terminal().out(table(["ID", "NAME", "WHERE", "VERSION", "MODE", "PROBE"], rows));
    });

  clickhouse
    .command("grants")
    .description("Prints the statements that make the database and the user on your server.")
    .requiredOption("--username <user>", "who Astralog will be there")
    .requiredOption("--database <database>", "where its tables will be")
    .option("--cluster <cluster>", "as the server's remote_servers names it", "")
    .action((of: { username: string; database: string; cluster: string }) => {
      terminal().out(`${ownSetupSql(of).join(";\n")};\n`);
    });

  clickhouse
    .command("connect")
    .description("Connects a server, when it proves fit, and makes our tables there.")
    .requiredOption("--name <name>", "what to call it")
    .requiredOption("--url <url>", "https://… of its HTTPS interface, on port 443 or 8443")
    .requiredOption("--username <user>", "who Astralog is there")
    .requiredOption("--database <database>", "where its tables are")
    .option("--cluster <cluster>", "tables are replicated and distributed over it")
    .option("--mode <mode>", ownModes.join(", "), "beside")
    .option("--json", "print it as JSON")
    .action(async ({ json, ...given }: Record<string, string> & { json?: true }) => {
      const body = { ...given, password: await readPassword() };
      const made = await api().call<Connection>("POST", "storage/clickhouse", "admin", body);
      terminal().out(json === true ? `${JSON.stringify(made)}\n` : `${made.id}\n`);
    });

  clickhouse
    .command("status")
    .description("Says how far each server is, and what keeps one from going on.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const { servers } = await api().call<{ servers: Status[] }>("GET", "storage/clickhouse-status", "admin");
      if (json === true) {
        for (const one of servers) terminal().out(`${JSON.stringify(one)}\n`);
        return;
      }
      const rows = servers.map((one) => [
        ...[one.connection, one.state, count(one.lag), count(one.events), bytes(one.bytes), one.last_stored_at ?? "–"],
      ]);
      terminal().out(table(["ID", "STATE", "LAG", "EVENTS", "SIZE", "LAST STORED"], rows, [2, 3, 4]));
      for (const { connection, problem } of servers)
        if (problem !== null)
          terminal().err(`${connection}: ${printable(problem.detail)} Since ${problem.since}; it is tried again.\n`);
    });

  clickhouse
    .command("mode")
    .description("Says where events live from now on. What is stored already stays where it is.")
    .argument("<id>", "a connection's id, sto_…")
    .argument("<mode>", ownModes.join(", "))
    .option("--abandon", "with off: although events still wait for it that may be kept nowhere else")
    .action(async (id: string, mode: string, { abandon }: { abandon?: true }) => {
      await api().call("PATCH", path(id), "admin", { mode, ...(abandon === true ? { abandon } : {}) });
    });

  clickhouse
    .command("password")
    .description("Gives a connection another password, once it proves fit.")
    .argument("<id>", "a connection's id, sto_…")
    .option("--username <user>", "and another user")
    .action(async (id: string, { username }: { username?: string }) => {
      const body = { password: await readPassword(), ...(username === undefined ? {} : { username }) };
      await api().call("PATCH", path(id), "admin", body);
    });

  clickhouse
    .command("probe")
    .description("Asks the server for its version and rights, and says what is lacking and which statements grant it.")
    .argument("<id>", "a connection's id, sto_…")
    .action(async (id: string) => {
      const { ok, server_version, problem, grants } = await api().call<Probe>("POST", `${path(id)}/probe`, "admin");
      for (const grant of grants) terminal().out(`${printable(grant)};\n`);
      if (!ok) throw new Failure(printable(problem));
      terminal().out(`ClickHouse ${printable(server_version)} lets us do what we need.\n`);
    });

  clickhouse
    .command("disconnect")
    .description("Ends a connection that is off. What is on the server stays.")
    .argument("<id>", "a connection's id, sto_…")
    .action(async (id: string) => {
      await api().call("DELETE", path(id), "admin");
      terminal().err(`${printable(id)} is disconnected; nothing on the server was deleted\n`);
    });
};
