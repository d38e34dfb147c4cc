/** The alerter's configuration; README.md has it as a table. */
import { kafkaShape, type Shape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
} satisfies Shape;
