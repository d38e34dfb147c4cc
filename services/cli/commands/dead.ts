import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { table } from "../table.ts";
import { bytes, printable } from "../text.ts";
import { readCount } from "../times.ts";

interface DeadLetter {
  id: string;
  topic: string;
  partition: number;
  offset: number;
  index: number;
  source: string;
  reason: string;
  detail: string;
  died_at: string;
  payload_bytes: number;
}

/** `dead list | show | replay`. */
export const addDead = (program: Command, { terminal, api }: Cli): void => {
  const dead = program
    .command("dead")
    .summary("list, show and replay dead letters")
    .description("Dead letters: what could not be decoded, redacted or stored. They are kept encrypted.");

  dead
    .command("list", { isDefault: true })
    .description("Lists dead letters, newest first.")
    .option("--limit <letters>", "most to print", "100")
    .option("--json", "print one JSON object a line")
    .action(async ({ limit, json }: { limit: string; json?: true }) => {
      const size = String(readCount(limit, "--limit", 1, 1000));
      const { dead: letters } = await api().call<{ dead: DeadLetter[] }>(
        "GET",
        withQuery("dead", { limit: size }),
        "admin",
      );
      if (json === true) {
        for (const letter of letters) terminal().out(`${JSON.stringify(letter)}\n`);
        return;
      }
      if (letters.length === 0) return terminal().err("there are no dead letters\n");
      const rows = letters.map((letter) => [
        letter.id,
        letter.died_at,
        letter.reason,
        bytes(letter.payload_bytes),
        printable(letter.detail),
      ]);
      terminal().out(table(["ID", "DIED AT", "REASON", "SIZE", "DETAIL"], rows, [3]));
    });

  dead
    .command("show")
    .description("Shows all about a dead letter but its payload, which may hold secrets and is never shown.")
    .argument("<id>", "as astralog dead list gives it")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: { json?: true }) => {
      const letter = await api().call<DeadLetter>("GET", `dead/${encodeURIComponent(id)}`, "admin");
      if (json === true) return terminal().out(`${JSON.stringify(letter)}\n`);
      for (const [name, value] of Object.entries(letter)) {
        terminal().out(`${name.padEnd(14)} ${printable(typeof value === "string" ? value : JSON.stringify(value))}\n`);
      }
    });

  dead
    .command("replay")
    .description("Sends dead letters through the pipeline again, after the cause was mended.")
    .argument("<id...>", "as astralog dead list gives them")
    .action(async (ids: string[]) => {
      for (const id of ids) {
        const { replayed_as } = await api().call<{ replayed_as: string }>(
          "POST",
          `dead/${encodeURIComponent(id)}/replay`,
          "admin",
        );
        terminal().out(`${id} is on its way again as ${replayed_as}\n`);
      }
    });
};
