/** What the principal `producers` does in Kafka: native topics, their producers' users, and the rights of these. */
import {
  Fault,
  type KafkaAdmin,
  type KafkaClient,
  AclOperationTypes as Operation,
  ResourcePatternTypes as Pattern,
  AclPermissionTypes as Permission,
  AclResourceTypes as Resource,
  type WriteRate,
} from "@astralog/chassis";
import { nativePrefix, nativeTopic } from "@astralog/schemas";
import { settingsOf, untilKnown } from "../provision/provision-kafka.ts";

export interface WriteRight {
  readonly username: string;
  readonly source: string;
}

export interface ProducersKafka {
  /** The name of a producer's user, and of a source's topic, on this cluster. */
  usernameOf(producer: string): string;
  topicOf(source: string): string;
  /** Makes the topic unless it is there. */
  ensureTopic(source: string, partitions: number): Promise<void>;
  setPassword(username: string, password: string): Promise<void>;
  removeUser(username: string): Promise<void>;
  /** Lets exactly these users write, each to its one topic; takes away whatever else such users may do there. */
  holdRights(wanted: readonly WriteRight[]): Promise<{ given: number; taken: number }>;
  /** How fast each of these users may write. */
  holdRates(wanted: readonly WriteRate[]): Promise<void>;
  close(): Promise<void>;
}

const keyOf = (username: string, topic: string): string => `${username} ${topic}`;

/** All reject with Fault `kafka_unavailable`. */
export const createProducersKafka = (kafka: KafkaClient, replicas: number): ProducersKafka => {
  const scram = kafka.scram();
  const quotas = kafka.quotas();
  const ours = kafka.name(nativePrefix);
  const topicOf = (source: string): string => ours + source;
  let connected: Promise<KafkaAdmin> | undefined;

  const using = async <T>(work: (admin: KafkaAdmin) => Promise<T>): Promise<T> => {
    connected ??= (async () => {
      const admin = kafka.admin();
      await admin.connect();
      return admin;
    })();
    const mine = connected;
    try {
      return await work(await mine);
    } catch (error) {
      if (connected === mine) connected = undefined;
      void mine.then((admin) => admin.disconnect()).catch(() => undefined);
      throw new Fault("kafka_unavailable", "Kafka did not make the change to its topics and rights.", {
        retriable: true,
        cause: error,
      });
    }
  };

  const right = (username: string, topic: string) => ({
    principal: `User:${username}`,
    host: "*",
    operation: Operation.WRITE,
    permissionType: Permission.ALLOW,
    resourceType: Resource.TOPIC,
    resourceName: topic,
    resourcePatternType: Pattern.LITERAL,
  });

  /** What producers' users may do on native topics today. */
  const present = async (admin: KafkaAdmin) => {
    const { resources } = await admin.describeAcls({
      resourceType: Resource.TOPIC,
      resourcePatternType: Pattern.ANY,
      operation: Operation.ANY,
      permissionType: Permission.ANY,
    });
    return resources.flatMap(({ acls, ...resource }) =>
      resource.resourceName.startsWith(ours)
        ? acls.flatMap((acl) => (acl.principal.startsWith(`User:${ours}`) ? [{ ...acl, ...resource }] : []))
        : [],
    );
  };

  return {
    usernameOf: (producer) => ours + producer,
    topicOf,
    ensureTopic: (source, partitions) =>
      using(async (admin) => {
        const wanted = nativeTopic(source, partitions);
        const topic = topicOf(source);
        await admin.createTopics({
          waitForLeaders: false,
          topics: [
            {
              topic,
              numPartitions: partitions,
              replicationFactor: replicas,
              configEntries: Object.entries(settingsOf(wanted, replicas)).map(([name, value]) => ({ name, value })),
            },
          ],
        });
        await untilKnown(admin, [topic]);
      }),
    setPassword: scram.set,
    removeUser: async (username) => {
      await scram.remove(username);
      await quotas.set([{ username, bytesPerSecond: 0 }]);
    },
    holdRates: quotas.set,
    holdRights: (wanted) =>
      using(async (admin) => {
        const due = new Map(wanted.map((one) => [keyOf(one.username, topicOf(one.source)), one]));
        const surplus = [];
        for (const acl of await present(admin)) {
          const key = keyOf(acl.principal.slice("User:".length), acl.resourceName);
          const good = acl.operation === Operation.WRITE && acl.permissionType === Permission.ALLOW;
          if (!good || acl.resourcePatternType !== Pattern.LITERAL || !due.delete(key)) surplus.push(acl);
        }
        if (surplus.length > 0) await admin.deleteAcls({ filters: surplus });
        const missing = [...due.values()].map(({ username, source }) => right(username, topicOf(source)));
        if (missing.length > 0) await admin.createAcls({ acl: missing });
        return { given: missing.length, taken: surplus.length };
      }),
    close: async () => {
      const admin = await connected?.catch(() => undefined);
      await admin?.disconnect();
    },
  };
};
