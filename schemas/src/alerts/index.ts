/** Alert rules: what they look like, what they mean, and the names of what they lead to. */
export * from "./backtest.ts";
export * from "./condition.ts";
export * from "./count.ts";
export * from "./delivery.ts";
export * from "./destination.ts";
export * from "./event-time.ts";
export * from "./identity.ts";
export * from "./labels.ts";
export * from "./lanes.ts";
export * from "./local-time.ts";
export * from "./machine.ts";
export * from "./measure.ts";
export * from "./notice.ts";
export * from "./rule.ts";
export * from "./span.ts";
export * from "./transition.ts";
