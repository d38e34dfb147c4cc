import { run } from "@astralog/chassis";
import { buildApp } from "./app.ts";
import { shape } from "./config.ts";
import { connect } from "./connect.ts";
import { startRelay } from "./control/outbox-relay.ts";
import { createReconcile } from "./control/reconcile.ts";
import { listen } from "./http/server.ts";

run({
  service: "api",
  shape,
  start: async (context) => {
    const { config, log, onStop } = context;
    const connections = await connect(context);
    const relay = startRelay({
      ...connections,
      url: config.POSTGRES_URL,
      ready: () => connections.heads.complete,
      admits: connections.heads.admits,
      reconcile: createReconcile(connections),
    });
    onStop("outbox", relay.stop);
    const server = await listen(buildApp(connections), config.HTTP_HOST, config.HTTP_PORT);
    onStop("http", server.close);
    log.info({ port: server.port }, "listening");
  },
});
