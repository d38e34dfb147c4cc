import { parseReceipt } from "@astralog/schemas/coordinates";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { count, plural } from "../text.ts";

interface ReceiptAnswer {
  records: {
    record: string;
    accepted: number;
    stored: number;
    dropped: Record<string, number>;
    redactions: Record<string, number>;
    state: "pending" | "stored";
  }[];
}

const counts = (by: Record<string, number>): string =>
  Object.entries(by)
    .map(([name, n]) => `${name} ${count(n)}`)
    .join(", ") || "-";

/** `receipt <receipt>`. */
export const addReceipt = (program: Command, { terminal, api }: Cli): void => {
  program
    .command("receipt")
    .summary("what became of the events of an answer")
    .description(
      "Says what became of the events that an answer of the receiver covered: stored, dropped and why, redacted by what.",
    )
    .argument("<receipt>", "as the receiver's answer or astralog send gave it")
    .option("--json", "print JSON")
    .action(async (receipt: string, { json }: { json?: true }) => {
      if (parseReceipt(receipt) === undefined) {
        throw new Failure(
          `"${receipt}" is no receipt.`,
          "It looks like 3-1042x1000: partition, offset, and how many events.",
          2,
        );
      }
      const answer = await api().call<ReceiptAnswer>("GET", `receipts/${encodeURIComponent(receipt)}`, "query");
      if (json === true) return terminal().out(`${JSON.stringify(answer)}\n`);
      const rows = answer.records.map((record) => [
        record.record,
        record.state,
        count(record.accepted),
        count(record.stored),
        counts(record.dropped),
        counts(record.redactions),
      ]);
      terminal().out(table(["RECORD", "STATE", "ACCEPTED", "STORED", "DROPPED", "REDACTED"], rows, [2, 3]));
      const pending = answer.records.filter((record) => record.state === "pending").length;
      if (pending > 0)
        terminal().err(
          `${plural(pending, "record")} on the way: Kafka has confirmed them, they are stored in moments\n`,
        );
    });
};
