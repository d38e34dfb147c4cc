/** The results as tables, with the ratios that matter. */
import { eightTable } from "./eight-searches.ts";
import { mebi, millis, table, thousands } from "./figures.ts";
import type { AlertsResult } from "./part-alerts.ts";
import type { ArchiveResult } from "./part-archive.ts";
import type { InsertResult } from "./part-clickhouse.ts";
import type { DeletionResult } from "./part-deletion.ts";
import type { DiscardResult } from "./part-discard.ts";
import type { LatencyResult } from "./part-latency.ts";
import type { NativeResult } from "./part-native.ts";
import type { PipelineResult } from "./part-pipeline.ts";
import type { SearchResults } from "./part-search.ts";
import type { SinkResult } from "./part-sink.ts";
import type { Cost } from "./processes.ts";

export interface Results {
  readonly events: number;
  readonly bytesPerEvent: number;
  readonly gzipPerEvent: number;
  discard?: DiscardResult;
  clickhouse?: readonly InsertResult[];
  pipeline?: PipelineResult;
  sink?: SinkResult;
  native?: NativeResult;
  latency?: LatencyResult;
  search?: SearchResults;
  alerts?: AlertsResult;
  archive?: ArchiveResult;
  deletion?: DeletionResult;
}

const perMillion = (costs: readonly Cost[], events: number): string[] =>
  costs.map(({ cpuSeconds }) => ((cpuSeconds / events) * 1e6).toFixed(2));

const costTable = (costs: readonly Cost[], events: number): string => {
  const each = perMillion(costs, events);
  const rows = costs.map(({ name, peakRss }, i) => [name, each[i] ?? "", mebi(peakRss)]);
  const all = costs.filter(({ name }) => name !== "load generator").reduce((sum, cost) => sum + cost.cpuSeconds, 0);
  rows.push(["all but the load generator", ((all / events) * 1e6).toFixed(2), ""]);
  return table(["process", "CPU s per million", "peak memory"], rows);
};

const best = (inserts: readonly InsertResult[]): number =>
  Math.max(...inserts.map(({ eventsPerSecond }) => eventsPerSecond));

const ratios = ({ discard, clickhouse, pipeline, sink }: Results): string[] => {
  const lines: string[] = [];
  const of = (part: number, whole: number): string => `${Math.round((part / whole) * 100)} %`;
  if (pipeline !== undefined && discard !== undefined) {
    lines.push(`pipeline to bare Express      ${of(pipeline.searchablePerSecond, discard.eventsPerSecond)}`);
  }
  if (pipeline !== undefined && clickhouse !== undefined) {
    lines.push(`pipeline to raw ClickHouse    ${of(pipeline.searchablePerSecond, best(clickhouse))}`);
  }
  if (sink !== undefined && clickhouse !== undefined) {
    lines.push(`sink alone to raw ClickHouse  ${of(sink.eventsPerSecond, best(clickhouse))}`);
  }
  return lines;
};

const alertsText = (alerts: AlertsResult): string => {
  const { rules, eventsPerSecond, idleShare, judgingShare, tellingShare, peakRss, matchMs, windowMs } = alerts;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const perEvent = ((judgingShare / eventsPerSecond) * 1e6).toFixed(2);
  return [
    `${rules} rules at ${thousands(eventsPerSecond)} events/s:`,
    `  judging                        ${percent(judgingShare)} of a core, ${perEvent} µs per event; without rules ${percent(idleShare)}`,
    `  judging and telling            ${percent(tellingShare)}, ${mebi(peakRss)} at most`,
    `  acknowledged to webhook        p50 ${millis(matchMs.p50)}, p99 ${millis(matchMs.p99)}`,
    `  window's end to webhook        p50 ${millis(windowMs.p50)}, p99 ${millis(windowMs.p99)}`,
    `  ${alerts.told} told; of the matches missed ${alerts.missed}, told twice ${alerts.repeated}`,
  ].join("\n");
};

const archiveText = ({
  events,
  eventsPerSecond,
  sinkPerSecond,
  objects,
  bytesPerEvent,
  costs,
}: ArchiveResult): string => {
  const cpu = costs.reduce((sum, cost) => sum + cost.cpuSeconds, 0);
  return [
    `the archive of ${thousands(events)} events into a bucket:`,
    `  ${thousands(eventsPerSecond)} events/s, ${Math.round((eventsPerSecond / sinkPerSecond) * 100)} % of the sink's ${thousands(sinkPerSecond)} on the same backlog`,
    `  ${((cpu / events) * 1e6).toFixed(2)} CPU s per million with ClickHouse; ${objects} objects, ${bytesPerEvent.toFixed(1)} B per event`,
  ].join("\n");
};

const deletionText = (one: DeletionResult): string => {
  const share = (rate: number): string => `${((rate / one.beforePerSecond) * 100).toFixed(1)} %`;
  return [
    `deletion of 1 of ${one.tenants} organizations, ${one.removed} of ${one.events} events, under load:`,
    `  certified after ${one.certifiedSeconds.toFixed(1)} s; ${one.problems.length === 0 ? "the certificate and its list hold" : one.problems.join("; ")}`,
    `  others: ${one.changed === 0 ? "no count changed" : `${one.changed} COUNTS CHANGED`}`,
    `  acknowledged ${thousands(one.beforePerSecond)} events/s before, ${thousands(one.duringPerSecond)} during (${share(one.duringPerSecond)}), ${thousands(one.afterPerSecond)} after (${share(one.afterPerSecond)})`,
    `  stored       ${thousands(one.storedBefore)} events/s before, ${thousands(one.storedDuring)} during (${((one.storedDuring / one.storedBefore) * 100).toFixed(1)} %)`,
  ].join("\n");
};

export const report = (results: Results): string => {
  const { events, discard, clickhouse, pipeline, sink, native, latency, search } = results;
  const parts = [
    `${events} events, ${Math.round(results.bytesPerEvent)} B each as JSON, ${Math.round(results.gzipPerEvent)} B on the wire`,
  ];
  const rates: string[][] = [];
  if (discard !== undefined)
    rates.push([
      "bare Express, HTTPS + gzip, discarded",
      thousands(discard.eventsPerSecond),
      perMillion(discard.costs, events)[0] ?? "",
      "",
    ]);
  for (const insert of clickhouse ?? []) {
    rates.push([
      `raw ClickHouse, ${insert.format}`,
      thousands(insert.eventsPerSecond),
      insert.cpuPerMillion.toFixed(2),
      insert.bytesPerEvent.toFixed(1),
    ]);
  }
  if (sink !== undefined) {
    const cpu = sink.costs.reduce((sum, cost) => sum + cost.cpuSeconds, 0);
    rates.push(["sink alone, from Kafka", thousands(sink.eventsPerSecond), ((cpu / sink.events) * 1e6).toFixed(2), ""]);
  }
  if (native !== undefined) {
    const cpu = native.costs
      .filter(({ name }) => name !== "load generator")
      .reduce((sum, cost) => sum + cost.cpuSeconds, 0);
    rates.push([
      "native records of one event",
      thousands(native.eventsPerSecond),
      ((cpu / native.events) * 1e6).toFixed(2),
      "",
    ]);
  }
  if (pipeline !== undefined) {
    const cpu = pipeline.costs
      .filter(({ name }) => name !== "load generator")
      .reduce((sum, cost) => sum + cost.cpuSeconds, 0);
    rates.push(["pipeline, acknowledged", thousands(pipeline.ackedPerSecond), "", ""]);
    rates.push([
      "pipeline, searchable",
      thousands(pipeline.searchablePerSecond),
      ((cpu / pipeline.events) * 1e6).toFixed(2),
      pipeline.bytesPerEvent.toFixed(1),
    ]);
  }
  if (rates.length > 0) parts.push(table(["", "events/s", "CPU s per million", "stored B per event"], rates));
  const compared = ratios(results);
  if (compared.length > 0) parts.push(compared.join("\n"));
  if (pipeline !== undefined) {
    parts.push(costTable(pipeline.costs, pipeline.events));
    parts.push(
      `acknowledged after p50 ${millis(pipeline.ackMs.p50)}, p99 ${millis(pipeline.ackMs.p99)}; turned away ${pipeline.turnedAway}; stored twice ${pipeline.copies}`,
    );
  }
  if (native !== undefined) parts.push(costTable(native.costs, native.events));
  if (latency !== undefined) {
    parts.push(
      `at a steady ${thousands(latency.eventsPerSecond)} events/s:\n` +
        `  sent to acknowledged        p50 ${millis(latency.ackMs.p50)}, p99 ${millis(latency.ackMs.p99)}\n` +
        `  acknowledged to searchable  p50 ${millis(latency.searchableMs.p50)}, p99 ${millis(latency.searchableMs.p99)}, max ${millis(latency.searchableMs.max)}` +
        ` (by a poller of the events, one answer each ${millis(latency.pollMs)})`,
    );
  }
  if (search !== undefined) {
    const rows = search.searches.map((each) => [
      each.name,
      String(each.found),
      millis(each.firstMs),
      millis(each.p50Ms),
      millis(each.maxMs),
    ]);
    parts.push(table(["search through the API", "found", "first", "p50", "max"], rows), eightTable(search.eight));
  }
  if (results.archive !== undefined) parts.push(archiveText(results.archive));
  if (results.deletion !== undefined) parts.push(deletionText(results.deletion));
  if (results.alerts !== undefined) parts.push(alertsText(results.alerts));
  return `${parts.join("\n\n")}\n`;
};
