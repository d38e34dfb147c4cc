/** Which raw topics a tenant's events may lie in, and whose group reads each. */
import { nativePrefix, type SourceRecord, topics } from "@astralog/schemas";
import type { RawTopic } from "./verify.ts";

export const rawTopicsOf = (tenant: string, sources: Iterable<SourceRecord>, group: string): RawTopic[] => [
  { topic: topics.raw.name, group },
  ...[...sources].flatMap((one) =>
    one.tenant === tenant && one.native_partitions.length > 0
      ? [{ topic: nativePrefix + one.source, group: `${group}.native`, places: one.native_partitions }]
      : [],
  ),
];
