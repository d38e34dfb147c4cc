/**
 * Topics and rights as schemas' tables say: creates what is missing, corrects settings that drifted, adds rights and
 * takes away those of our principals on our topics that the tables do not give. Never shrinks and never deletes a topic.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  ConfigResourceTypes,
  type KafkaAdmin,
  AclOperationTypes as Operation,
  ResourcePatternTypes as Pattern,
  AclPermissionTypes as Permission,
  AclResourceTypes as Resource,
} from "@astralog/chassis";
import {
  groups,
  nativePrefix,
  nativeRights,
  type Principal,
  principals,
  type Topic,
  topicName,
  topics,
} from "@astralog/schemas";

type Say = (line: string) => void;
type Acl = Parameters<KafkaAdmin["createAcls"]>[0]["acl"][number];

/** Retention deletes whole segments, so a segment may span a sixth of the time at most. */
const segmentMs = (topic: Topic): number =>
  topic.cleanup === "compact" ? 3_600_000 : Math.min(Math.floor(topic.retentionMs / 6), 7 * 86_400_000);

export const settingsOf = (topic: Topic, replicas: number): Record<string, string> => ({
  "cleanup.policy": topic.cleanup,
  "retention.ms": String(topic.retentionMs),
  "max.message.bytes": String(topic.maxMessageBytes),
  "segment.ms": String(segmentMs(topic)),
  // An acknowledgement means two copies wherever there can be two.
  "min.insync.replicas": String(Math.max(1, replicas - 1)),
  ...topic.settings,
});

export const provisionTopics = async (
  admin: KafkaAdmin,
  { prefix, replicas, say }: { prefix: string; replicas: number; say: Say },
): Promise<void> => {
  const existing = new Set(await admin.listTopics());
  const created: string[] = [];
  for (const topic of Object.values(topics) as Topic[]) {
    const name = topicName(topic, prefix);
    const wanted = settingsOf(topic, replicas);
    if (!existing.has(name)) {
      await admin.createTopics({
        waitForLeaders: false,
        topics: [
          {
            topic: name,
            numPartitions: topic.partitions,
            replicationFactor: replicas,
            configEntries: Object.entries(wanted).map(([key, value]) => ({ name: key, value })),
          },
        ],
      });
      created.push(name);
      say(`topic ${name}: created, ${topic.partitions} partitions`);
      continue;
    }
    await correct(admin, name, topic, wanted, say);
  }
  if (created.length > 0) await untilKnown(admin, created);
};

/** The client's own wait gives up at once when the broker has not heard of a new topic yet. */
export const untilKnown = async (admin: KafkaAdmin, topics: string[]): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      await admin.fetchTopicMetadata({ topics });
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(200);
    }
  }
};

const correct = async (
  admin: KafkaAdmin,
  name: string,
  topic: Topic,
  wanted: Record<string, string>,
  say: Say,
): Promise<void> => {
  const changes: string[] = [];
  const { topics: found } = await admin.fetchTopicMetadata({ topics: [name] });
  const partitions = found[0]?.partitions.length ?? 0;
  if (partitions < topic.partitions) {
    await admin.createPartitions({ topicPartitions: [{ topic: name, count: topic.partitions }] });
    changes.push(`partitions ${partitions} to ${topic.partitions}`);
  } else if (partitions > topic.partitions) {
    changes.push(`has ${partitions} partitions, more than ${topic.partitions}: left as it is`);
  }
  const resource = { type: ConfigResourceTypes.TOPIC, name };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
  const present = new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]));
  const drifted = Object.entries(wanted).filter(([key, value]) => present.get(key) !== value);
  if (drifted.length > 0) {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: Object.entries(wanted).map(([key, value]) => ({ name: key, value })) }],
    });
    changes.push(...drifted.map(([key, value]) => `${key} ${present.get(key)} to ${value}`));
  }
  say(`topic ${name}: ${changes.length === 0 ? "as it should be" : changes.join(", ")}`);
};

const rightsOn = (prefix: string): Acl[] => {
  const right = (
    principal: Principal,
    operation: Acl["operation"],
    resourceType: Acl["resourceType"],
    resourceName: string,
    // A process' own groups carry a random end.
    resourcePatternType = resourceType === Resource.GROUP ? Pattern.PREFIXED : Pattern.LITERAL,
  ): Acl => ({
    principal: `User:${principal}`,
    host: "*",
    operation,
    permissionType: Permission.ALLOW,
    resourceType,
    resourceName,
    resourcePatternType,
  });
  // Reading and writing imply describing.
  const onTopics = (Object.values(topics) as Topic[]).flatMap((topic) => [
    ...topic.write.map((who) => right(who, Operation.WRITE, Resource.TOPIC, topicName(topic, prefix))),
    ...topic.read.map((who) => right(who, Operation.READ, Resource.TOPIC, topicName(topic, prefix))),
    ...(topic.describe ?? []).map((who) => right(who, Operation.DESCRIBE, Resource.TOPIC, topicName(topic, prefix))),
  ]);
  const onGroups = groups.flatMap((group) => [
    ...group.join.flatMap((who) => [
      right(who, Operation.READ, Resource.GROUP, prefix + group.name),
      right(who, Operation.DELETE, Resource.GROUP, prefix + group.name),
    ]),
    ...group.describe.map((who) => right(who, Operation.DESCRIBE, Resource.GROUP, prefix + group.name)),
  ]);
  const onNative = (who: readonly Principal[], operation: Acl["operation"]): Acl[] =>
    who.map((one) => right(one, operation, Resource.TOPIC, prefix + nativePrefix, Pattern.PREFIXED));
  return [
    ...onTopics,
    ...onGroups,
    ...onNative(nativeRights.read, Operation.READ),
    ...onNative(nativeRights.write, Operation.WRITE),
    ...onNative([...nativeRights.describe, ...nativeRights.create], Operation.DESCRIBE),
    ...onNative(nativeRights.create, Operation.CREATE),
    ...nativeRights.alterCluster.flatMap((who) =>
      [Operation.ALTER, Operation.ALTER_CONFIGS].map((what) => right(who, what, Resource.CLUSTER, "kafka-cluster")),
    ),
  ];
};

const idOf = (acl: Omit<Acl, "host">): string =>
  [acl.principal, acl.operation, acl.permissionType, acl.resourceType, acl.resourcePatternType, acl.resourceName].join(
    " ",
  );

export const provisionRights = async (
  admin: KafkaAdmin,
  { prefix, say }: { prefix: string; say: Say },
): Promise<void> => {
  const wanted = rightsOn(prefix);
  const present = await presentRights(admin, wanted);
  const presentIds = new Set(present.map(idOf));
  const wantedIds = new Set(wanted.map(idOf));
  const missing = wanted.filter((acl) => !presentIds.has(idOf(acl)));
  const surplus = present.filter((acl) => !wantedIds.has(idOf(acl)));
  if (missing.length > 0) await admin.createAcls({ acl: missing });
  if (surplus.length > 0) await admin.deleteAcls({ filters: surplus });
  say(`rights: ${wanted.length} in all, ${missing.length} added, ${surplus.length} taken away`);
};

/** What our principals may do on our topics and groups today. */
const presentRights = async (admin: KafkaAdmin, wanted: readonly Acl[]): Promise<Acl[]> => {
  const ours = new Set(principals.map((principal) => `User:${principal}`));
  const places = new Map(wanted.map((acl) => [`${acl.resourceType} ${acl.resourceName}`, acl]));
  const found: Acl[] = [];
  for (const { resourceType, resourceName, resourcePatternType } of places.values()) {
    const { resources } = await admin.describeAcls({
      resourceType,
      resourceName,
      resourcePatternType,
      operation: Operation.ANY,
      permissionType: Permission.ANY,
    });
    for (const resource of resources) {
      for (const acl of resource.acls) {
        if (!ours.has(acl.principal)) continue;
        found.push({
          ...acl,
          resourceType: resource.resourceType,
          resourceName: resource.resourceName,
          resourcePatternType: resource.resourcePatternType,
        });
      }
    }
  }
  return found;
};
