/** The alerter's configuration; README.md has it as a table. */
import { field, kafkaShape, notifyShape, type Shape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
  ...notifyShape,
  DELIVERY_GROUP: field.text("Consumer group of those that tell people.", "alerter.delivery"),
  PUBLIC_URL: field.publicUrl("Where people's browsers find the dashboard: links in messages lead there."),
} satisfies Shape;
