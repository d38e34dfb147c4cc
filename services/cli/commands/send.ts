import { randomUUID } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import type { LineFormat } from "../events.ts";
import { parseFields } from "../events.ts";
import { Failure } from "../failure.ts";
import { createHttp } from "../http.ts";
import { openInputs } from "../inputs.ts";
import { type Progress, showProgress } from "../progress.ts";
import { emptyReport, type Report, sendAll } from "../send.ts";
import { summarize } from "../summary.ts";
import { readCount, readSpan } from "../times.ts";

interface Options {
  service?: string;
  host?: string;
  field?: string[];
  format: LineFormat | "auto";
  batch: string;
  parallel: string;
  retryFor: string;
  runId?: string;
  receipts?: string;
  json?: true;
}

const help = `
Lines that are JSON objects are sent as they are; other lines become the message of an event. Each input's first line
decides. Inputs may be gzip. Fields given here are for events that lack them.

A line is accepted when the receiver has confirmed it; then it cannot be lost. Trouble on the way (429, 5xx, broken
connections) is retried and never stores a line twice. The exit code is 0 only when every line was accepted.

Examples:
  zcat access.log.gz | astralog send --service web
  astralog send app.jsonl --field region=eu-1
  journalctl -f -o cat | astralog send --service boot`;

/** `send [file...]`. */
export const addSend = (program: Command, { terminal, place, stop, setExitCode }: Cli): void => {
  program
    .command("send")
    .summary("send lines from files or standard input")
    .description("Sends the lines of files, or of standard input, as events.")
    .argument("[file...]", "files, plain or gzip; - is standard input")
    .option("--service <name>", "service of events that name none")
    .option("--host <name>", "host of events that name none")
    .option(
      "--field <name=value>",
      "a field for events that lack it; may be repeated",
      (pair: string, all: string[] | undefined) => [...(all ?? []), pair],
    )
    .option("--format <format>", "json, text, or auto: by each input's first line", "auto")
    .option("--batch <events>", "events in a request", "1000")
    .option("--parallel <requests>", "requests under way at once", "4")
    .option("--retry-for <span>", "how long a request is retried before giving up", "2m")
    .option("--run-id <id>", "sending the same input again with the same id within an hour stores nothing twice")
    .option("--receipts <file>", "write the receipts there, one a line")
    .option("--json", "print the summary as JSON")
    .addHelpText("after", help)
    .action(async (files: string[], options: Options) => {
      const { format } = options;
      if (format !== "auto" && format !== "json" && format !== "text") {
        throw new Failure(`--format is "${format}"; it takes auto, json or text.`, "", 2);
      }
      const fields = {
        ...parseFields(options.field ?? []),
        ...(options.service === undefined ? {} : { service: options.service }),
        ...(options.host === undefined ? {} : { host: options.host }),
      };
      const batch = readCount(options.batch, "--batch", 1, 10_000);
      const parallel = readCount(options.parallel, "--parallel", 1, 64);
      const retryForMs = readSpan(options.retryFor, "--retry-for") * 1000;
      const runId = options.runId ?? randomUUID();
      if (!/^[\w.-]{1,100}$/.test(runId))
        throw new Failure("--run-id takes up to 100 letters, digits, . _ and -.", "", 2);
      const { receipts } = options;
      if (receipts !== undefined) writeFileSync(receipts, "");

      const inputs = openInputs(files, terminal());
      const base = place().url("receiver");
      const key = place().key("ingest");
      const http = createHttp(place().ca, parallel);
      const report = emptyReport();
      const began = performance.now();
      const sizes = inputs.map((input) => input.size);
      const state = (): Progress => ({
        read: report.bytesRead,
        total: sizes.includes(0) ? 0 : sizes.reduce((a, b) => a + b, 0),
        events: report.accepted,
        wire: report.wire,
        seconds: (performance.now() - began) / 1000,
        note: report.retries === 0 ? "" : `${report.retries} retries (${report.lastTrouble})`,
      });
      const progress = showProgress(terminal(), state);
      let failure: unknown;
      try {
        await sendAll(
          inputs,
          {
            http,
            url: new URL(`${base.pathname.replace(/\/$/, "")}/v1/events`, base),
            key,
            runId,
            retryForMs,
            stop: stop(),
          },
          { format, fields, batch, parallel, lingerMs: options.runId === undefined ? 500 : 0 },
          report,
        );
      } catch (error) {
        failure = error;
      } finally {
        progress.stop();
        http.close();
      }
      if (receipts !== undefined && report.receipts.length > 0)
        appendFileSync(receipts, `${report.receipts.join("\n")}\n`);
      const seconds = (performance.now() - began) / 1000;
      terminal().out(
        options.json === true
          ? `${asJson(report, seconds, runId)}\n`
          : summarize(report, seconds, runId, terminal().outColors),
      );
      if (failure !== undefined) throw failure;
      if (report.rejected > 0 || report.unsent > 0 || report.unread.length > 0) setExitCode(1);
    });
};

const asJson = (report: Report, seconds: number, run_id: string): string =>
  JSON.stringify({
    run_id,
    lines: report.lines,
    accepted: report.accepted,
    rejected: report.rejected,
    unsent: report.unsent,
    unread: report.unread,
    reasons: [...report.reasons].map(([reason, { count, first }]) => ({ reason, count, first })),
    receipts: report.receipts,
    seconds: Number(seconds.toFixed(3)),
    bytes_sent: report.wire,
    retries: report.retries,
  });
