/** What became of the lines, in a few lines. */
import type { Report } from "./send.ts";
import type { Colors } from "./terminal.ts";
import { bytes, count, duration, plural, printable } from "./text.ts";

export const summarize = (report: Report, seconds: number, runId: string, colors: Colors): string => {
  const rate = seconds > 0 ? report.accepted / seconds : 0;
  const lines = [
    `${colors.green("accepted")}  ${plural(report.accepted, "event")} in ${duration(seconds)} (${count(rate)}/s, ${bytes(report.wire)} on the wire)`,
  ];
  if (report.rejected > 0) {
    lines.push(`${colors.red("rejected")}  ${plural(report.rejected, "line")}`);
    for (const [reason, { count: times, first }] of report.reasons) {
      lines.push(
        `  ${times > 1 ? `${count(times)} × ` : ""}${printable(reason)} (first: ${first.input}, line ${first.line})`,
      );
    }
  }
  const incomplete = report.unsent > 0 || report.unread.length > 0;
  if (incomplete) {
    const why = report.lastTrouble === "" ? "" : `: ${printable(report.lastTrouble)}`;
    lines.push(`${colors.red("unsent")}    ${plural(report.unsent, "line")} without an answer${why}`);
    for (const { input, line } of report.unread) {
      lines.push(`  ${input} was ${line === 0 ? "not read" : `read up to line ${count(line)}`}`);
    }
    lines.push(`  To send the rest and store nothing twice, run the same again within an hour with --run-id ${runId}`);
  }
  if (report.mended > 0)
    lines.push(
      `${colors.yellow("note")}      ${plural(report.mended, "line")} held bytes that are not UTF-8; each became U+FFFD`,
    );
  const [receipt] = report.receipts;
  if (receipt !== undefined) {
    lines.push(
      report.receipts.length === 1
        ? `receipt   ${receipt}`
        : `receipts  ${count(report.receipts.length)}, the first ${receipt} (all of them with --receipts FILE)`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
};
