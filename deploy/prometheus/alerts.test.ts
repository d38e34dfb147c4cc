import { globSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";

const here = new URL(".", import.meta.url);
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}
const { groups } = parse(readFileSync(new URL("alerts.yml", here), "utf8")) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** Every metric the code makes, by full name; histograms with what Prometheus derives from them. */
const known = (): Set<string> => {
  const root = new URL("../../", here);
  const metrics = new Set<string>();
  for (const service of ["receiver", "redactor", "sink", "archive", "alerter", "retention", "backup", "api"])
    for (const file of globSync(`services/{${service},chassis}/{,*/}*.ts`, { cwd: root })) {
      const text = readFileSync(new URL(file, root), "utf8");
      for (const [, kind, name] of text.matchAll(/\.(counter|gauge|histogram)\(\s*"([a-z0-9_]+)"/g))
        for (const end of kind === "histogram" ? ["_bucket", "_sum", "_count"] : [""])
          metrics.add(`astralog_${service}_${name}${end}`);
    }
  return metrics;
};

test("every metric in a rule or its advice is one that a service has", () => {
  const metrics = known();
  const used = rules.flatMap((rule) => JSON.stringify(rule).match(/astralog_[a-z]+_[a-z0-9_]+/g) ?? []);
  expect(used.length).toBeGreaterThan(10);
  const stems = new Set([...metrics].map((name) => name.replace(/_(bucket|sum|count)$/, "")));
  expect(used.filter((name) => !metrics.has(name) && !stems.has(name))).toEqual([]);
});

test("a rule has a name of its own, a severity and a summary, and its parentheses close", () => {
  expect(new Set(rules.map((rule) => rule.alert)).size).toBe(rules.length);
  for (const { expr, labels, annotations } of rules) {
    expect(["page", "ticket"]).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(20);
    expect([...expr].filter((c) => c === "(").length).toBe([...expr].filter((c) => c === ")").length);
  }
});

test("the scrape configuration reads the rules that are here", () => {
  const config = parse(readFileSync(new URL("prometheus.yml", here), "utf8")) as {
    rule_files: string[];
    scrape_configs: { job_name: string }[];
  };
  expect(config.rule_files).toEqual(["alerts.yml"]);
  for (const { job_name } of config.scrape_configs) expect(job_name).toMatch(/^astralog/);
});
