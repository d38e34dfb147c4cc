/** What `npm start` says when it is ready: where things are, and two commands that prove it. */
import { relative } from "node:path";
import pc from "picocolors";
import { root } from "./paths.ts";
import type { RunFile } from "./run-file.ts";

export const addressLines = (run: RunFile): string[] =>
  [
    ["dashboard", run.dashboard],
    ["mail", `${run.mail}  (what Astralog sends ends here)`],
    ["receiver", `${run.receiver}  (certificate authority: ${relative(root, run.ca)})`],
    ["", `${run.receiverHttp}  (this machine only)`],
    ["api", `${run.api}/api/v1`],
    ["Kafka", `${run.kafka.tlsBrokers} (TLS, SCRAM)  ${run.kafka.brokers} (this machine only)`],
    ["registry", run.registry],
    ["ClickHouse", run.clickhouse.url],
    ...(run.bucket === undefined
      ? []
      : [
          [
            "bucket",
            `${run.bucket.endpoint}/${run.bucket.bucket}  (connected as "trial"; its objects: ${relative(root, run.bucket.data)})`,
          ],
        ]),
  ].map(([name = "", where = ""]) => `  ${pc.bold(name.padEnd(11))}${where}`);

export const report = (run: RunFile, seconds: number): string =>
  [
    "",
    `${pc.green("Astralog is ready")} (${seconds.toFixed(1)} s). Ctrl-C stops it.`,
    "",
    ...addressLines(run),
    `  ${pc.bold("ingest key")} ${run.ingestKey}`,
    `  ${pc.bold("query key")}  ${run.queryKey}`,
    `  ${pc.dim("All of this, and the admin key, are in .astralog/run.json; logs are in .astralog/logs.")}`,
    ...(run.firstOwnerLink === ""
      ? []
      : [
          "",
          `Become the first owner: open ${pc.bold(run.firstOwnerLink)}`,
          pc.dim("It works once. There is no account before."),
        ]),
    "",
    "Send an event:",
    "",
    `  curl --cacert ${relative(root, run.ca)} ${run.receiver}/v1/events \\`,
    `    -H 'Authorization: Bearer ${run.ingestKey}' -H 'Content-Type: application/json' \\`,
    `    -d '{"message":"hello from curl","service":"demo","level":"info"}'`,
    "",
    "Find it:",
    "",
    `  curl '${run.api}/api/v1/search?q=hello' -H 'Authorization: Bearer ${run.queryKey}'`,
    "",
  ].join("\n");
