/** What a command is given. Places and connections are made when first asked for, so that --help needs none. */
import { type Api, createApi } from "./api.ts";
import { type CliConfig, locate, type Place } from "./config.ts";
import { createHttp, type Http } from "./http.ts";
import type { Terminal } from "./terminal.ts";

export interface Cli {
  terminal(): Terminal;
  config(): CliConfig;
  place(): Place;
  api(): Api;
  /** Aborted when the user asks to stop. */
  stop(): AbortSignal;
  now(): number;
  setExitCode(code: number): void;
  exitCode(): number;
  close(): void;
}

export const createCli = (config: CliConfig, terminal: Terminal, folder: string, stop: AbortSignal): Cli => {
  let place: Place | undefined;
  let http: Http | undefined;
  let api: Api | undefined;
  let code = 0;
  const getPlace = (): Place => (place ??= locate(config, folder));
  return {
    terminal: () => terminal,
    config: () => config,
    place: getPlace,
    api: () => (api ??= createApi(getPlace(), (http ??= createHttp(getPlace().ca)), stop)),
    stop: () => stop,
    now: Date.now,
    setExitCode: (wanted) => {
      code = wanted;
    },
    exitCode: () => code,
    close: () => http?.close(),
  };
};
