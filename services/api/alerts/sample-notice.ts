/** What a test and a preview tell of: what a rule might find, in the words in which it would be told. */
import {
  anomaly,
  bounded,
  change,
  emptyMeasure,
  type Notice,
  noticeId,
  type Rule,
  ratio,
  readRule,
  type Verdict,
} from "@astralog/schemas/alerts/index";

const example = (): Rule => {
  const read = readRule({
    ...{ id: "checkout-errors", name: "Checkout errors", severity: "critical", owners: ["payments"] },
    ...{ labels: { team: "payments" }, description: "This is a test: nothing has happened." },
    when: { type: "threshold", query: "level:error service:checkout", by: ["service"], above: 10 },
  });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.rule;
};

/** A fifth beyond a bound, and not on it. */
const beyond = ({ above, below = 0 }: { above?: number | undefined; below?: number | undefined }): number =>
  above !== undefined ? above + Math.max(1, Math.abs(above) / 5) : below - Math.max(1, Math.abs(below) / 5);

const verdictOf = ({ when }: Rule): Pick<Verdict, "reason" | "value" | "threshold"> => {
  switch (when.type) {
    case "match":
      return { reason: "the event matches", value: 1, threshold: null };
    case "threshold":
      return bounded(beyond(when), when, when.value);
    case "ratio": {
      const of = Math.max(100, when.at_least);
      const bound = when.above ?? when.below ?? 0;
      const share = when.above === undefined ? bound / 2 : bound + Math.max(0.01, (1 - bound) / 5);
      return ratio(when, { ...emptyMeasure(), count: of * share, other: of });
    }
    case "absence":
      return { reason: `no event in ${when.window}`, value: 0, threshold: 1 };
    case "change": {
      const before = Math.max(100, when.at_least);
      const factor =
        when.up !== undefined ? 1 + (when.up * 1.2) / 100 : 1 - Math.min(100, (when.down ?? 0) * 1.2) / 100;
      return change(when, before * factor, before);
    }
    case "new_pattern":
      return { reason: `not seen for ${when.remember}`, value: 1, threshold: 0 };
    case "anomaly": {
      const usual = Math.max(100, when.at_least);
      const far = Math.max(when.at_least, when.deviations * 10) * 1.5;
      return anomaly(when, when.direction === "down" ? usual - far : usual + far, [when.learn, usual, 100]);
    }
  }
};

const values: Readonly<Record<string, string>> = { service: "checkout", host: "web-1", level: "error", source: "shop" };

export const sampleNotice = (
  { tenant, target, publicUrl }: { tenant: string; target: string; publicUrl: URL },
  rule: Rule = example(),
): Notice => {
  const now = Date.now();
  const page = new URL("/alerts", publicUrl).href;
  const { reason: found, value, threshold } = verdictOf(rule);
  const names = rule.when.type === "new_pattern" ? ["pattern"] : rule.when.by;
  const { id, name, severity, description, labels, owners, runbook = "" } = rule;
  return {
    ...{ id: noticeId(tenant, target, "test", now), happening: "test", state: "firing", organization: tenant },
    at: new Date(now).toISOString(),
    rule: { ...{ id, name, severity, description, labels, owners, runbook }, query: rule.when.query },
    incidents: [
      {
        ...{ id: "0".repeat(32), transition: "0".repeat(32), state: "firing" },
        group: Object.fromEntries(names.map((one) => [one, values[one] ?? "an example"])),
        ...{ since: new Date(now - 300_000).toISOString(), until: "", found, value, threshold, complete: 1 },
        ...{ lines: ["a line of the events, redacted"], search: page, page },
      },
    ],
    more: 0,
  };
};
