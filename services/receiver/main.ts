/** HTTPS edge: checks keys, parses events, acknowledges only what Kafka has confirmed. */
import { run } from "@astralog/chassis";
import { shape } from "./config.ts";
import { start } from "./start.ts";

run({ service: "receiver", shape, start });
