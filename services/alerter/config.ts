/** The alerter's configuration; README.md has it as a table. */
import { field, kafkaShape, notifyShape, type Shape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
  REDACTOR_GROUP: field.text("The redactor's consumer group, whose position says what it has passed on.", "redactor"),
  IN_FLIGHT_MS: field.integer(
    "How long a record may be on its way from its receipt to Kafka. Longer delays every window.",
    { min: 0, max: 60_000 },
    "500",
  ),
  ...notifyShape,
  DELIVERY_GROUP: field.text("Consumer group of those that tell people.", "alerter.delivery"),
  PUBLIC_URL: field.publicUrl("Where people's browsers find the dashboard: links in messages lead there."),
} satisfies Shape;
