/** What an event written as JSON means. */
export * from "./event-json.ts";
export { earliest, instant, latest, settle, settleDigits, settleHalves, type TimeVerdict } from "./event-time.ts";
export { type Field, fields, makeRoles, ranks } from "./field-roles.ts";
export * from "./limits.ts";
