/** What a fault test is, and what it is given. */
import type { ServiceName, Stack } from "@astralog/local";
import type { ClickHouse } from "./clickhouse.ts";
import type { Ledger } from "./ledger.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Traffic } from "./traffic.ts";

export interface FaultContext {
  readonly pipeline: Pipeline;
  readonly clickhouse: ClickHouse;
  readonly ledger: Ledger;
  /** The source's name in the ledger. */
  readonly source: string;
  readonly traffic: Traffic;
  /** `full` of the long form, scaled down, at least `least`. */
  scaled(full: number, least: number): number;
  /** Ends the service with the signal, starts it again as a supervisor would, and notes how long it was away. */
  restart(name: ServiceName, signal: NodeJS.Signals): Promise<void>;
  /** Milliseconds something took to be well again. */
  recovered(ms: number): void;
  /** A promise that was broken; the test fails. */
  broken(what: string): void;
  /** A figure for the report. */
  note(what: string): void;
}

/** Something between a fault and the services, made before they start. */
export interface Rig {
  readonly env: Partial<Record<ServiceName, Record<string, string>>>;
  close(): Promise<void>;
}

export interface Fault {
  /** R1 and so on, with what it hurts behind. */
  readonly id: string;
  readonly title: string;
  /** Prepared before the services start, such as a proxy in front of a server. */
  rig?(stack: Stack): Promise<Rig>;
  /** Hurts, while the traffic runs. */
  run(context: FaultContext): Promise<void>;
  /** Looks at the outcome, after everything is stored. */
  after?(context: FaultContext): Promise<void>;
}
