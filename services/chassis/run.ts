/**
 * The life of a service: configuration, start, ready, stop. SIGTERM and SIGINT stop what was started in reverse order;
 * anything unexpected is logged and ends the process with 1, so that whoever supervises it starts a clean one.
 */
import { type Config, ConfigError, chassisShape, describeShape, loadConfig, type Shape } from "./config.ts";
import { createHealth, type Health, serveOps } from "./health.ts";
import { createLog, type Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

export interface Context<S extends Shape> {
  readonly service: string;
  readonly config: Config<S & typeof chassisShape>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Registers a step of the stop; the last registered runs first. */
  onStop(name: string, stop: () => Promise<unknown> | unknown): void;
  /** Ends the process as a crash: for what cannot be mended from inside. */
  crash(error: unknown): void;
}

/** A stop that takes longer than this is cut: the supervisor would kill it soon after. */
const stopDeadlineMs = 25_000;

export const run = <S extends Shape>(options: {
  service: string;
  shape: S;
  start(context: Context<S>): Promise<void>;
}): void => {
  const { service } = options;
  const shape = { ...chassisShape, ...options.shape };
  if (process.argv.includes("--help")) {
    process.stdout.write(
      `${service}: configured by environment variables\n\n${describeShape(shape)}\n\n--check-config reads them, says what is wrong, and exits.\n`,
    );
    return;
  }
  let config: Config<S & typeof chassisShape>;
  try {
    config = loadConfig(shape) as Config<S & typeof chassisShape>;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${service}: ${error.message}\n`);
    process.exit(2);
  }
  if (process.argv.includes("--check-config")) {
    process.stdout.write(`${service}: the configuration is good\n`);
    return;
  }

  const log = createLog(service, config.LOG_LEVEL as string);
  const metrics = createMetrics(service);
  const health = createHealth();
  const steps: { name: string; stop: () => Promise<unknown> | unknown }[] = [];
  let started = false;
  let stopping = false;
  health.require("start", () => (stopping ? "stopping" : started || "starting"));

  const exit = (code: number) => process.stdout.write("", () => process.exit(code));
  const crash = (error: unknown): void => {
    log.fatal({ err: error }, "crashed");
    exit(1);
  };
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping");
    setTimeout(() => {
      log.error({ deadline_ms: stopDeadlineMs }, "the stop took too long and was cut");
      exit(1);
    }, stopDeadlineMs).unref();
    let code = 0;
    for (const step of steps.toReversed()) {
      try {
        await step.stop();
      } catch (error) {
        code = 1;
        log.error({ err: error, step: step.name }, "a step of the stop failed");
      }
    }
    log.info("stopped");
    exit(code);
  };

  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));

  const begin = async (): Promise<void> => {
    const ops = await serveOps(health, metrics, {
      host: config.OPS_HOST as string,
      port: config.OPS_PORT as number,
      portFile: config.OPS_PORT_FILE as string,
    });
    steps.push({ name: "ops", stop: ops.close });
    log.info({ ops_port: ops.port }, "starting");
    await options.start({
      service,
      config,
      log,
      metrics,
      health,
      onStop: (name, step) => void steps.push({ name, stop: step }),
      crash,
    });
    started = true;
    log.info("started");
  };
  begin().catch(crash);
};
