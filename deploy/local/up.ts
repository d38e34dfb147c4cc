/**
 * `npm start` on Node 24: servers, tables and topics, services; says where they are and keeps them running until it is
 * told to stop. Run by start.mjs.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pc from "picocolors";
import type { BucketServer } from "./bucket-server.ts";
import { stopChildren } from "./child.ts";
import { prepare, untilKeyWorks } from "./deployment.ts";
import { type Follower, follow } from "./follow.ts";
import { createLocalServices, type LocalServices } from "./local-services.ts";
import { tryLock, unlock } from "./lock.mjs";
import { formatLogLine } from "./log-line.ts";
import { type MailSink, startMailSink } from "./mail-sink.ts";
import { readOptions, type UpOptions } from "./options.ts";
import { state } from "./paths.ts";
import { choosePorts } from "./ports.ts";
import { addressLines, report } from "./report.ts";
import { type RunFile, readRunFile, removeRunFile, writeRunFile } from "./run-file.ts";
import { type FirstTenant, firstOwnerLink, runScript } from "./service.ts";
import { type Deployment, publicUrl, restoreEnv } from "./services.ts";
import { type Stack, startStack } from "./stack.ts";
import { supervise } from "./supervise.ts";
import { backupBucketOf, connectTrialBucket, startTrialBucket, trialBlock, trialBucketOf } from "./trial-bucket.ts";

const data = join(state, "data");
const logs = join(state, "logs");
const lock = join(state, "run.lock");

// Taken by others only when these are in use.
const mailPorts = { smtp: 4325, page: 4380 };

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const runFile = (
  deployment: Deployment,
  tenant: FirstTenant,
  stack: Stack,
  services: LocalServices,
  mail: MailSink,
  buckets: BucketServer | undefined,
): RunFile => {
  const { kafka, clickhouse, registry, tls } = stack;
  const ports = services.ports();
  const api = `http://127.0.0.1:${ports.api}`;
  const password = (of: { users: Readonly<Record<string, string>> }, user: string) => of.users[user] ?? "";
  return {
    receiver: `https://localhost:${ports.https}`,
    receiverHttp: `http://127.0.0.1:${ports.http}`,
    api,
    dashboard: publicUrl(ports),
    mail: mail.page,
    smtp: mail.smtp,
    ca: tls.ca,
    ...tenant,
    kafka: {
      brokers: kafka.brokers,
      tlsBrokers: kafka.tlsBrokers,
      username: "admin",
      password: password(kafka, "admin"),
    },
    registry: registry.url,
    clickhouse: {
      url: clickhouse.url,
      username: "astralog_ledger",
      password: password(clickhouse, "astralog_ledger"),
      database: clickhouse.database,
      adminUsername: "astralog_admin",
      adminPassword: password(clickhouse, "astralog_admin"),
    },
    postgres: deployment.postgresUrl,
    ...(buckets === undefined ? {} : { bucket: trialBucketOf(buckets) }),
    ops: Object.fromEntries(services.all.map((one) => [one.name, one.ops()])),
    pids: {
      ...Object.fromEntries(services.all.map((one) => [one.name, one.pid()])),
      ...Object.fromEntries(Object.values(stack.servers).map((one) => [one.name, one.pid() ?? 0])),
      astralog: process.pid,
    },
  };
};

const up = async (options: UpOptions, signal: AbortSignal, progress: { ready: boolean }): Promise<void> => {
  const begun = Date.now();
  const stops: (() => Promise<unknown> | unknown)[] = [];
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const checkpoint = (): void => signal.throwIfAborted();
  try {
    print("Starting the servers:");
    const stack = await startStack({
      dir: data,
      logs,
      ...(options.listen === "" ? {} : { listen: { host: "0.0.0.0", name: options.listen } }),
      onReady: (name, ms) => print(`  ✓ ${name} (${seconds(ms)})`),
    });
    stops.push(() => stack.stop());
    checkpoint();

    print("Preparing tables, topics, schemas and rights");
    const mail = await startMailSink(await choosePorts(mailPorts));
    stops.push(() => mail.close());
    const buckets = options.bucket ? await startTrialBucket(data, logs) : undefined;
    stops.push(() => buckets?.stop());
    checkpoint();
    const { deployment, tenant: kept } = await prepare(stack, data, mail.smtp, {
      backups: buckets === undefined ? undefined : backupBucketOf(buckets),
      before: async (made) => {
        if (options.restore === "") return;
        print(`Restoring ${options.restore === "all" ? "Postgres and ClickHouse" : options.restore}`);
        const only = options.restore === "all" ? [] : ["--only", options.restore];
        print(`  ${(await runScript("backup/restore.ts", only, restoreEnv(made))).trim()}`);
      },
    });
    checkpoint();

    print("Starting the services:");
    const httpsHost = options.listen === "" ? "127.0.0.1" : "0.0.0.0";
    const services = await createLocalServices({
      ...{ deployment, dir: data, logs, logLevel: options.logLevel, httpsHost },
      env: { OUTGOING_ALLOWED: [...options.outgoingAllowed, ...(buckets === undefined ? [] : [trialBlock])].join(",") },
    });
    const followers: Follower[] = options.headless
      ? []
      : services.all.map(({ name }) => follow(join(logs, `${name}.log`), (line) => print(formatLogLine(name, line))));
    stops.push(() => {
      for (const one of followers) one.close();
    });
    stops.push(() => services.stop());
    const at = Date.now();
    const started = await Promise.allSettled(
      services.all.map(async (one) => {
        await one.start();
        print(`  ✓ ${one.name} (${seconds(Date.now() - at)})`);
      }),
    );
    checkpoint();
    const failed = started.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;

    const [firstOwner] = await Promise.all([
      firstOwnerLink(deployment, "main", services.ports().api),
      untilKeyWorks(`http://127.0.0.1:${services.ports().http}`, kept.ingestKey),
    ]);
    checkpoint();

    if (buckets !== undefined) await connectTrialBucket(`http://127.0.0.1:${services.ports().api}`, kept, buckets);
    const tenant = { ...kept, firstOwnerLink: firstOwner };
    const current = (): RunFile => runFile(deployment, tenant, stack, services, mail, buckets);
    const save = (): void => writeRunFile(current());
    save();
    stops.push(removeRunFile);
    print(report(current(), (Date.now() - begun) / 1000));

    progress.ready = true;

    const say = (line: string): void => print(pc.yellow(`${new Date().toISOString().slice(11, 19)} ${line}`));
    const watched = [...Object.values(stack.servers), ...services.all];
    await Promise.all(watched.map((one) => supervise(one, { signal, say, onRestart: save })));
  } finally {
    if (stops.length > 0) print("\nStopping…");
    const at = Date.now();
    for (const stop of stops.toReversed()) await stop();
    if (stops.length > 0) print(`Stopped (${seconds(Date.now() - at)}). The data is kept in .astralog/data.`);
  }
};

/** After kill -9 of an `npm start` its servers live on for a moment, and hold the data. */
const untilGone = async (pids: readonly number[]): Promise<void> => {
  const alive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  for (let tries = 0; tries < 60 && pids.some((pid) => pid > 0 && alive(pid)); tries++) await sleep(200);
};

const main = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2), process.env);
  if ("text" in options) {
    (options.wrong ? process.stderr : process.stdout).write(options.text);
    return options.wrong ? 2 : 0;
  }
  mkdirSync(state, { recursive: true });
  const owner = tryLock(lock);
  if (owner !== undefined) {
    const run = readRunFile();
    print(
      `Astralog already runs in this checkout (process ${owner})${run === undefined ? ", and is still starting." : ":"}`,
    );
    if (run !== undefined) print(addressLines(run).join("\n"));
    return 1;
  }
  const stopped = new AbortController();
  const progress = { ready: false };
  const stop = (): void => {
    if (stopped.signal.aborted) return;
    stopped.abort(new Error("stopped"));
    // In the middle of a start nobody holds all of them yet.
    if (!progress.ready) stopChildren();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  // Whoever started us was killed.
  process.on("disconnect", stop);
  // The terminal may go away before we do.
  process.stdout.on("error", stop);
  // Servers do not keep this process alive by themselves.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await untilGone(Object.values(readRunFile()?.pids ?? {}));
    removeRunFile();
    if (options.fresh) for (const folder of [data, logs]) rmSync(folder, { recursive: true, force: true });
    await up(options, stopped.signal, progress);
    return 0;
  } catch (error) {
    if (stopped.signal.aborted) return 0;
    process.stderr.write(`${pc.red("Astralog could not start:")} ${words(error)}\n`);
    return 1;
  } finally {
    clearInterval(alive);
    unlock(lock);
  }
};

process.exitCode = await main();
process.disconnect?.();
