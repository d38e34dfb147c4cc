/** Removes what is past its time or was asked to be deleted. */
import { run } from "@astralog/chassis";
import { shape } from "./config.ts";
import { start } from "./start.ts";

run({ service: "retention", shape, start });
