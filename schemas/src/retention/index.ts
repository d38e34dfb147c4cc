/** How long events are kept, what is deleted before that, and what proves it. */
export * from "./ageing.ts";
export * from "./certificate.ts";
export * from "./deletion.ts";
export * from "./merkle.ts";
export * from "./policy.ts";
export * from "./rehydration.ts";
export * from "./rule.ts";
