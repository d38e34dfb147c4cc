export { type BucketServer, startBucketServer } from "./bucket-server.ts";
export { type Child, type Exit, startChild, untilReady } from "./child.ts";
export { type ClickHouse, startClickHouse } from "./clickhouse.ts";
export { makeDatabase } from "./database.ts";
export { kafkaProperties } from "./kafka-config.ts";
export { type KeptMail, type MailSink, startMailSink } from "./mail-sink.ts";
export { root, state } from "./paths.ts";
export { choosePorts } from "./ports.ts";
export { newPassword } from "./secrets.ts";
export {
  bootstrapTenant,
  type FirstTenant,
  provision,
  runScript,
  type ServiceProcess,
  startService,
} from "./service.ts";
export {
  type BackupBucket,
  type Deployment,
  type ListenPorts,
  publicUrl,
  restoreEnv,
  type ServiceName,
  serviceEnv,
  serviceNames,
} from "./services.ts";
export { type Addresses, type Server, type ServerName, type Stack, serverNames, startStack } from "./stack.ts";
export { makeTls } from "./tls.ts";
