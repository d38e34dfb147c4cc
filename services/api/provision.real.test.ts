import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  createKafka,
  createLog,
  kafkaShape,
  loadConfig,
  ResourcePatternTypes,
} from "@astralog/chassis";
import { schemas, topics } from "@astralog/schemas";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { provisionRights, provisionTopics } from "./provision/provision-kafka.ts";
import { provisionSchemas } from "./provision/provision-registry.ts";

let one: Platform;
let admin: ReturnType<ReturnType<typeof createKafka>["admin"]>;
let said: string[];
const options = () => ({ prefix: one.prefix, replicas: 1, say: (line: string) => void said.push(line) });

beforeAll(async () => {
  one = await platform(sharedStack());
  const config = loadConfig(kafkaShape, {
    ...one.env("api"),
    KAFKA_USERNAME: "admin",
    KAFKA_PASSWORD: one.stack.kafka.users.admin,
  });
  admin = createKafka(config, createLog("test", "fatal"), "test").admin();
  await admin.connect();
  said = [];
});
afterAll(async () => {
  await admin.disconnect();
  await one.stop();
});

test("what drifted is corrected, and said; a right that no table gives is taken away", async () => {
  const name = one.prefix + topics.raw.name;
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [{ name: "retention.ms", value: "999999" }] }],
  });
  const stray = {
    principal: "User:sink",
    host: "*",
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.ALLOW,
    resourceType: AclResourceTypes.TOPIC,
    resourceName: name,
    resourcePatternType: ResourcePatternTypes.LITERAL,
  };
  await admin.createAcls({ acl: [stray] });
  await provisionTopics(admin, options());
  await provisionRights(admin, options());
  expect(said.join("\n")).toMatch(/events\.raw: .*retention\.ms 999999 to 3600000/);
  expect(said.join("\n")).toMatch(/0 added, 1 taken away/);
  said = [];
  await provisionTopics(admin, options());
  await provisionRights(admin, options());
  expect(said.filter((line) => !line.endsWith("as it should be"))).toEqual([
    expect.stringMatching(/0 added, 0 taken away/),
  ]);
});

test("a schema that would break its readers is refused, against every older version", async () => {
  const access = { url: one.stack.registry.url, username: "", password: "" };
  await provisionSchemas(access, options());
  const original = schemas.KeyRecord as { fields: { name: string; type: string; default?: string }[] };
  const kept = [...original.fields];
  original.fields = [...kept, { name: "must", type: "string" }];
  await expect(provisionSchemas(access, options())).rejects.toMatchObject({ code: "schema_incompatible" });
  original.fields = [...kept, { name: "may", type: "string", default: "" }];
  await provisionSchemas(access, options());
  original.fields = [...kept, { name: "may", type: "long" as string, default: 0 as unknown as string }];
  await expect(provisionSchemas(access, options())).rejects.toMatchObject({ code: "schema_incompatible" });
  original.fields = kept;
});
