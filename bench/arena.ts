/**
 * Where fault tests run, one after the other: on one set of services as long as they are well, each with an organization of
 * its own, so that it begins with nothing stored. A fault that puts something between services and servers gets services of
 * its own.
 */
import type { Stack } from "@astralog/local";
import type { Fault, Rig } from "./fault.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";
import { type FaultOptions, type Outcome, runFault } from "./run-fault.ts";

export interface Arena {
  run(fault: Fault, options: FaultOptions): Promise<Outcome>;
  /** Ends the services; the servers stay. */
  close(): Promise<void>;
}

/** Receivers of notices are on this machine. */
const ownMachine = { OUTGOING_ALLOWED: "127.0.0.1/32" };

export const createArena = (stack: Stack): Arena => {
  let shared: Pipeline | undefined;
  const close = async (): Promise<void> => {
    const ended = shared;
    shared = undefined;
    await ended?.stop();
  };
  const started = async (rig?: Rig): Promise<Pipeline> => {
    const pipeline = await startPipeline({ stack, env: rig?.env ?? { alerter: ownMachine } });
    try {
      await pipeline.startAll();
    } catch (error) {
      await pipeline.stop();
      throw error;
    }
    return pipeline;
  };
  const onServicesOfItsOwn = async (fault: Fault, options: FaultOptions): Promise<Outcome> => {
    const rig = await fault.rig?.(stack);
    try {
      const pipeline = await started(rig);
      try {
        return await runFault(fault, pipeline, options);
      } finally {
        await pipeline.stop();
      }
    } finally {
      await rig?.close();
    }
  };
  const onShared = async (fault: Fault, options: FaultOptions): Promise<Outcome> => {
    shared ??= await started();
    let well = false;
    try {
      const outcome = await runFault(fault, await shared.anew(fault.id.toLowerCase()), options);
      well = outcome.broken.length === 0;
      return outcome;
    } finally {
      // What broke a promise is not to be the next test's trouble.
      if (!well) await close();
    }
  };
  return {
    run: (fault, options) => (fault.rig === undefined ? onShared : onServicesOfItsOwn)(fault, options),
    close,
  };
};
