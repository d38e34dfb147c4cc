import { run } from "@astralog/chassis";
import { shape } from "./config.ts";
import { start } from "./start.ts";

run({ service: "archive", shape, start });
