/** Removes secrets between events.raw and events.clean; what it cannot redact it dead-letters. */
import { run } from "@astralog/chassis";
import { shape } from "./config.ts";
import { start } from "./start.ts";

run({ service: "redactor", shape, start });
