// `npm start`: prepares the checkout, then hands over to up.ts on Node 24.
import { bootstrap } from "./bootstrap.mjs";
import { handOver } from "./hand-over.mjs";
import { root } from "./install.mjs";

const { node, env } = await bootstrap();
process.exitCode = await handOver(node, ["deploy/local/up.ts", ...process.argv.slice(2)], {
  env,
  cwd: root,
  channel: true,
});
