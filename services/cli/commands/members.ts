import type { Command } from "commander";
import { type Invitation, listAll, type Member } from "../api.ts";
import type { Cli } from "../cli.ts";
import { table } from "../table.ts";
import { printable } from "../text.ts";
import { listSources, sourceIds } from "./sources.ts";

/** `members list | invite | invitations | remove`. */
export const addMembers = (program: Command, cli: Cli): void => {
  const { terminal, api } = cli;
  const members = program
    .command("members")
    .summary("list, invite and remove members")
    .description("Who belongs to the organization, and what they may do. docs/access.md tells the roles.");
  const seen = async (): Promise<(ids: string[] | null) => string> => {
    const names = new Map((await listSources(cli)).map(({ id, name }) => [id, name]));
    return (ids) => (ids === null ? "all" : printable(ids.map((id) => names.get(id) ?? id).join(" ")));
  };

  members
    .command("list", { isDefault: true })
    .description("Lists the members.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const list = await listAll<Member>(api(), "members", "members", "admin");
      if (json === true) {
        for (const member of list) terminal().out(`${JSON.stringify(member)}\n`);
        return;
      }
      const sources = await seen();
      const rows = list.map((one) => [
        one.person,
        printable(one.email),
        printable(one.name),
        printable(one.role_name ?? one.role),
        sources(one.sources),
      ]);
      terminal().out(table(["ID", "ADDRESS", "NAME", "ROLE", "SOURCES"], rows));
    });

  members
    .command("invite")
    .description("Mails an invitation, which is good for a week.")
    .argument("<address>")
    .option("--role <role>", "admin, read-only, … or the id of one of your own", "member")
    .option("--only <source>", "all he sees, by name or id; may be repeated", (one: string, all?: string[]) => [
      ...(all ?? []),
      one,
    ])
    .action(async (email: string, { role, only }: { role: string; only?: string[] }) => {
      const sources = only === undefined ? null : await sourceIds(cli, only);
      const made = await api().call<Invitation>("POST", "invitations", "admin", { email, role, sources });
      terminal().out(`${made.id}\n`);
      terminal().err(`${printable(made.email)} is invited, until ${made.expires_at}\n`);
    });

  members
    .command("invitations")
    .description("Lists the invitations that nobody has taken yet.")
    .action(async () => {
      const list = await listAll<Invitation>(api(), "invitations", "invitations", "admin");
      const sources = await seen();
      const rows = list.map((one) => [one.id, printable(one.email), one.role, sources(one.sources), one.expires_at]);
      terminal().out(table(["ID", "ADDRESS", "ROLE", "SOURCES", "UNTIL"], rows));
    });

  members
    .command("remove")
    .description("Puts members out, or withdraws invitations; either is gone at once.")
    .argument("<id...>", "usr_… or inv_…")
    .action(async (ids: string[]) => {
      for (const id of ids) {
        const list = id.startsWith("inv_") ? "invitations" : "members";
        await api().call("DELETE", `${list}/${encodeURIComponent(id)}`, "admin");
        terminal().err(`${printable(id)} is out\n`);
      }
    });
};
