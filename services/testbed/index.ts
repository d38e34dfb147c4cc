export { type AlertDriver, createAlertDriver, until } from "./alerts.ts";
export { ownStack } from "./own-stack.ts";
export { type Platform, platform, type RunningService } from "./platform.ts";
export { sharedStack } from "./shared-stack.ts";
