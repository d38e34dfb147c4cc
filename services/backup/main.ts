/** Backs Postgres and ClickHouse up to a bucket, on time. */
import { run } from "@astralog/chassis";
import { shape } from "./config.ts";
import { start } from "./start.ts";

run({ service: "backup", shape, start });
