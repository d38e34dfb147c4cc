/** Writes down when keys were last used, as receivers and apis tell. One of the apis does, whichever the group gives it. */
import { consume, type GroupConsumer, type KafkaClient, type Log } from "@astralog/chassis";
import { decodeRecord, topics } from "@astralog/schemas";
import { sql } from "kysely";
import type { Db } from "../postgres.ts";

export const followKeyUses = (kafka: KafkaClient, { db, log }: { db: Db; log: Log }): Promise<GroupConsumer> =>
  consume(
    kafka,
    { log },
    {
      group: "api.key-uses",
      topics: [kafka.name(topics.keyUses.name)],
      handle: async ({ records }) => {
        const last = new Map<string, Date>();
        for (const { value } of records) {
          for (const { id, at } of value === null ? [] : decodeRecord("KeyUses", value).uses) {
            const before = last.get(id);
            const date = new Date(Number(at));
            if (before === undefined || before < date) last.set(id, date);
          }
        }
        if (last.size === 0) return;
        // Processes tell of their own times, so news may be older than what is known.
        await sql`update keys set last_used_at = told.at
          from unnest(${[...last.keys()]}::text[], ${[...last.values()]}::timestamptz[]) as told (id, at)
          where keys.id = told.id and (last_used_at is null or last_used_at < told.at)`.execute(db);
      },
    },
  );
