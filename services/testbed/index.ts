export { type AlertDriver, createAlertDriver, until } from "./alerts.ts";
export { type CustomerServer, startCustomer } from "./customer.ts";
export { decryptFiles, readableIn } from "./encrypted-files.ts";
export { type Audit, askAs, audit, createFeeder, type Feeder, type Sql, settled } from "./feeder.ts";
export { newFolder, ownStack } from "./own-stack.ts";
export { type Platform, platform, type RunningService } from "./platform.ts";
export { type Receiver, startReceiver, verified, webhookRecord } from "./receivers.ts";
export { sharedStack } from "./shared-stack.ts";
