/** What processes cost, from /proc: CPU seconds with their children, and the most memory they held. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

// _SC_CLK_TCK is 100 on every Linux that Node runs on.
const ticksPerSecond = 100;

const childrenOf = (pid: number): number[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
};

/** The process and all that it started and that still runs. Of this process itself only itself: the servers are its children. */
export const familyOf = (pid: number): number[] =>
  pid === process.pid ? [pid] : [pid, ...childrenOf(pid).flatMap(familyOf)];

const ownCpu = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; utime is the 14th field, cutime and cstime count ended children.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (
      fields.slice(11, pid === process.pid ? 13 : 15).reduce((sum, text) => sum + Number(text), 0) / ticksPerSecond
    );
  } catch {
    return 0;
  }
};

/** User and system seconds so far. */
export const cpuOf = (pid: number): number => familyOf(pid).reduce((sum, each) => sum + ownCpu(each), 0);

const status = (pid: number, field: string): number => {
  try {
    const line = readFileSync(`/proc/${pid}/status`, "utf8")
      .split("\n")
      .find((text) => text.startsWith(`${field}:`));
    return Number(line?.match(/\d+/)?.[0] ?? 0) * 1024;
  } catch {
    return 0;
  }
};

/** Bytes of the largest resident set since the start or the last forgetPeak. */
export const peakRssOf = (pid: number): number => familyOf(pid).reduce((sum, each) => sum + status(each, "VmHWM"), 0);

export const rssOf = (pid: number): number => familyOf(pid).reduce((sum, each) => sum + status(each, "VmRSS"), 0);

export const forgetPeak = (pid: number): void => {
  for (const each of familyOf(pid)) {
    try {
      writeFileSync(`/proc/${each}/clear_refs`, "5");
    } catch {
      // Another user's process: its peak counts from its start.
    }
  }
};

export interface Cost {
  readonly name: string;
  readonly cpuSeconds: number;
  readonly peakRss: number;
}

/** Starts measuring; the function it returns says what each has cost since. */
export const measure = (pids: Readonly<Record<string, number>>): (() => Cost[]) => {
  const before = Object.entries(pids).map(([name, pid]) => {
    forgetPeak(pid);
    return { name, pid, cpu: cpuOf(pid) };
  });
  return () => before.map(({ name, pid, cpu }) => ({ name, cpuSeconds: cpuOf(pid) - cpu, peakRss: peakRssOf(pid) }));
};
