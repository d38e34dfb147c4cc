export { type Child, type Exit, startChild, untilReady } from "./child.ts";
export { makeDatabase } from "./database.ts";
export { root, state } from "./paths.ts";
export { choosePorts } from "./ports.ts";
export { bootstrapTenant, type FirstTenant, provision, type ServiceProcess, startService } from "./service.ts";
export { type Deployment, type ListenPorts, type ServiceName, serviceEnv, serviceNames } from "./services.ts";
export { type Addresses, type Server, type ServerName, type Stack, serverNames, startStack } from "./stack.ts";
