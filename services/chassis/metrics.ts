/** Metrics in Prometheus' words: `astralog_<service>_<what>_<unit>[_total]`. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type { Counter, Gauge, Histogram } from "prom-client";

export interface Metrics {
  readonly registry: Registry;
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** `buckets` in the unit of the name. */
  histogram<L extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ): Histogram<L>;
}

/** Seconds, from a fast loopback answer to something a person would call an outage. */
export const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export const createMetrics = (service: string): Metrics => {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const common = <L extends string>(name: string, help: string, labels: readonly L[] = []) => ({
    name: `astralog_${service}_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  /** Whoever asks again for a metric, as a second consumer does, gets the same one. */
  const once = <M>(name: string, make: () => M): M =>
    (registry.getSingleMetric(`astralog_${service}_${name}`) as M | undefined) ?? make();
  return {
    registry,
    counter: (name, help, labels) => once(name, () => new Counter(common(name, help, labels))),
    gauge: (name, help, labels) => once(name, () => new Gauge(common(name, help, labels))),
    histogram: (name, help, buckets, labels) => new Histogram({ ...common(name, help, labels), buckets: [...buckets] }),
  };
};
