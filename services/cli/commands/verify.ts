import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { withQuery } from "../api.ts";
import type { Cli } from "../cli.ts";
import { readSpan, readTime } from "../times.ts";
import { isSettling, type Verdict, verdictText } from "../verdict.ts";

interface Options {
  from?: string;
  to?: string;
  wait: string;
  json?: true;
}

/** The API itself waits for what is on its way, this long at a time. */
const sliceSeconds = 20;
const againMs = 500;

const help = `
It counts from Kafka's offsets, not from counters: every record that was acknowledged must be stored once or accounted
for. Events take moments to be stored; what is still on its way is waited for before the verdict.

The exit code is 0 only when accepted = stored + dropped, with no gap and no duplicate.`;

/** `verify`. */
export const addVerify = (program: Command, { terminal, api, now, setExitCode, stop }: Cli): void => {
  program
    .command("verify")
    .summary("prove that what was accepted is stored")
    .description("Proves that what was accepted is stored: nothing lost, nothing twice.")
    .option("--from <time>", "only what was received from this time on")
    .option("--to <time>", "only what was received before this time")
    .option("--wait <span>", "how long to wait for what is on its way", "30s")
    .option("--json", "print the verdict as JSON")
    .addHelpText("after", help)
    .action(async (options: Options) => {
      const from = options.from === undefined ? undefined : readTime(options.from, "--from", now());
      const to = options.to === undefined ? undefined : readTime(options.to, "--to", now());
      const deadline = now() + readSpan(options.wait, "--wait") * 1000;
      const ask = (): Promise<Verdict> => {
        const wait = Math.min(sliceSeconds, Math.max(0, (deadline - now()) / 1000));
        return api().call<Verdict>("GET", withQuery("verify", { from, to, wait: wait.toFixed(3) }), "admin");
      };
      let verdict = await ask();
      while (isSettling(verdict) && now() < deadline && !stop().aborted) {
        await sleep(againMs, undefined, { signal: stop() }).catch(() => undefined);
        verdict = await ask();
      }
      terminal().out(
        options.json === true ? `${JSON.stringify(verdict)}\n` : verdictText(verdict, terminal().outColors),
      );
      if (!verdict.ok) setExitCode(1);
    });
};
