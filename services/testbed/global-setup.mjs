// Not .ts: jest would turn it into CommonJS, and what it imports cannot be that.
export { startShared as default } from "./shared-stack.ts";
