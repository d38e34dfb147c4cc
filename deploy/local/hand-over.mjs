// Runs a command in the foreground as if it had been started instead of us: same terminal, same signals, same exit.
import { spawn } from "node:child_process";

/** `channel`: the command notices by its IPC channel when we are killed, and can end too. Nothing is said over it. */
export const handOver = (command, args, { env, cwd, channel = false }) =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["inherit", "inherit", "inherit", ...(channel ? ["ipc"] : [])],
      env,
      cwd,
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.once("error", (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
