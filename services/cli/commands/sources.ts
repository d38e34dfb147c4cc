import type { Command } from "commander";
import { listAll, type Source } from "../api.ts";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { bytes, printable } from "../text.ts";
import { readCount } from "../times.ts";

interface Limits {
  retentionDays?: string;
  partitions?: string;
  maxBytesPerSecond?: string;
}

/** The fields that are given, under the API's names. The API checks the ranges. */
const limitsOf = (options: Limits): Record<string, number> => {
  const given: Record<string, number> = {};
  const read = (text: string | undefined, option: string, field: string): void => {
    if (text !== undefined) given[field] = readCount(text, option, 0, Number.MAX_SAFE_INTEGER);
  };
  read(options.retentionDays, "--retention-days", "retention_days");
  read(options.partitions, "--partitions", "partitions");
  read(options.maxBytesPerSecond, "--max-bytes-per-second", "max_bytes_per_second");
  return given;
};

const row = (source: Source): string[] => [
  source.id,
  printable(source.name),
  source.disabled ? "disabled" : "on",
  `${source.retention_days} d`,
  String(source.partitions),
  source.max_bytes_per_second === 0 ? "unlimited" : `${bytes(source.max_bytes_per_second)}/s`,
];

const show = (sources: readonly Source[]): string =>
  table(["ID", "NAME", "STATE", "KEEPS", "PARTITIONS", "LIMIT"], sources.map(row), [4]);

export const listSources = ({ api }: Cli): Promise<Source[]> => listAll(api(), "sources", "sources", "admin");

/** The source of that id or name. */
export const findSource = async (cli: Cli, wanted: string): Promise<Source> => {
  const sources = await listSources(cli);
  const found = sources.find((source) => source.id === wanted || source.name === wanted);
  if (found === undefined) {
    const names = sources.map((source) => source.name).join(", ");
    throw new Failure(
      `There is no source ${wanted}.`,
      names === "" ? "Make one: astralog sources create NAME" : `There are: ${names}`,
    );
  }
  return found;
};

/** The ids of sources that are given by id or name. */
export const sourceIds = (cli: Cli, wanted: readonly string[]): Promise<string[]> =>
  Promise.all(wanted.map(async (one) => (await findSource(cli, one)).id));

/** `sources list | create | set`. */
export const addSources = (program: Command, cli: Cli): void => {
  const { terminal, api } = cli;
  const sources = program
    .command("sources")
    .summary("list, create and change sources")
    .description("Where events come from, and their limits.");
  const withLimits = (command: Command): Command =>
    command
      .option(
        "--retention-days <days>",
        "days an event is kept, from its arrival; fewer remove what is older, for good",
      )
      .option("--partitions <count>", "how many partitions its events may use")
      .option("--max-bytes-per-second <bytes>", "uncompressed, per receiver; 0 is unlimited")
      .option("--json", "print JSON");
  const print = (source: Source, json: true | undefined): void =>
    terminal().out(json === true ? `${JSON.stringify(source)}\n` : show([source]));

  sources
    .command("list", { isDefault: true })
    .description("Lists the sources.")
    .option("--json", "print one JSON object a line")
    .action(async ({ json }: { json?: true }) => {
      const list = await listSources(cli);
      if (json === true) for (const source of list) terminal().out(`${JSON.stringify(source)}\n`);
      else if (list.length === 0) terminal().err("there are no sources yet: astralog sources create NAME\n");
      else terminal().out(show(list));
    });
  withLimits(sources.command("create").description("Makes a source.").argument("<name>")).action(
    async (name: string, options: Limits & { json?: true }) =>
      print(await api().call<Source>("POST", "sources", "admin", { name, ...limitsOf(options) }), options.json),
  );
  withLimits(sources.command("set").description("Changes a source.").argument("<source>", "its name or id"))
    .option("--name <name>", "a new name")
    .option("--disable", "refuse its events")
    .option("--enable", "take its events again")
    .action(async (wanted: string, options: Limits & { name?: string; disable?: true; enable?: true; json?: true }) => {
      if (options.disable === true && options.enable === true)
        throw new Failure("--enable and --disable contradict each other.", "", 2);
      const changes = {
        ...limitsOf(options),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.disable === true ? { disabled: true } : options.enable === true ? { disabled: false } : {}),
      };
      if (Object.keys(changes).length === 0)
        throw new Failure("There is nothing to change.", "See astralog sources set --help", 2);
      const { id } = await findSource(cli, wanted);
      print(await api().call<Source>("PATCH", `sources/${encodeURIComponent(id)}`, "admin", changes), options.json);
    });
};
