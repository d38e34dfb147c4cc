/** The redactor's configuration; README.md has it as a table. */
import { field, kafkaShape, type Shape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
  GROUP: field.text("Consumer group.", "redactor"),
  DEAD_LETTER_KEY: field.key256("Key that dead letters are encrypted with: 32 bytes in base64."),
  PARTITIONS_AT_ONCE: field.integer("Partitions worked on side by side.", { min: 1, max: 64 }, "6"),
} satisfies Shape;
