/** Says how far each partition of an archive is, for people and for who waits until all of something is in a bucket. */
import { Fault, type Log, type RecordProducer } from "@astralog/chassis";
import { encodeRecord } from "@astralog/schemas";
import type { ArchiveState, StorageConnection } from "@astralog/schemas/storage";

export interface StateTeller {
  /** What is news is told soon, what merely moves now and then. Never rejects. */
  tell(partition: number, state: Omit<ArchiveState, "at">): void;
}

export interface States {
  of(connection: Pick<StorageConnection, "tenant" | "id">): StateTeller;
  /** Nothing is known of it any more. */
  forget(connection: Pick<StorageConnection, "tenant" | "id">, partitions: number): Promise<void>;
}

const instantNow = (): string => new Date().toISOString();

export const createStates = (deps: {
  producer: Pick<RecordProducer, "send">;
  topic: string;
  schemaId(): Promise<number>;
  everyMs: number;
  log: Log;
}): States => {
  const { producer, topic, log } = deps;
  const keyOf = ({ tenant, id }: Pick<StorageConnection, "tenant" | "id">, partition: number): Buffer =>
    Buffer.from(`${tenant}/${id}/${partition}`);
  return {
    of: (connection) => {
      const told = new Map<number, { news: string; moves: string; at: number }>();
      return {
        tell: (partition, state) => {
          const news = JSON.stringify([state.total, state.problem]);
          const before = told.get(partition);
          // What falls behind stands still, and its lag grows.
          const moves = `${state.done} ${state.lag}`;
          const moved = before?.moves !== moves && Date.now() - (before?.at ?? 0) >= deps.everyMs;
          if (before?.news === news && !moved) return;
          told.set(partition, { news, moves, at: Date.now() });
          const { tenant, id } = connection;
          deps
            .schemaId()
            .then((schemaId) => {
              const record = {
                tenant,
                connection: id,
                partition,
                state: JSON.stringify({ ...state, at: instantNow() }),
              };
              const value = encodeRecord("ArchiveState", schemaId, record);
              return producer.send({ topic, partition: 0, key: keyOf(connection, partition), value });
            })
            .catch((err: unknown) => {
              told.delete(partition);
              log.debug({ err, partition }, "how far a partition is could not be told; it is told again");
            });
        },
      };
    },
    forget: async (connection, partitions) => {
      try {
        for (let partition = 0; partition < partitions; partition++)
          await producer.send({ topic, partition: 0, key: keyOf(connection, partition), value: null });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        log.warn({ err: error }, "what was known of a connection that ended stays until Kafka answers");
      }
    },
  };
};
