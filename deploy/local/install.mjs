// Fetches what a checkout needs, once: Node 24, npm's packages, the jars of Kafka and the registry. Each is stamped with
// what it was made from, so that nothing is asked of the network again until that changes.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { step } from "./progress.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const state = join(root, ".astralog");
const tools = join(state, "tools");

/** The version that is fetched when the running Node is older than its major. */
const nodeVersion = "24.21.0";
const nodeMajor = 24;

const hashOf = (...parts) => createHash("sha256").update(parts.join("\0")).digest("hex");
const stampIs = (file, stamp) => existsSync(file) && readFileSync(file, "utf8") === stamp;

const running = new Set();
/** Ends what is being run, with all that it started itself, and this process. */
const giveUp = (signal) => {
  for (const { pid } of running) process.kill(-pid, signal);
  process.exit(signal === "SIGINT" ? 130 : 143);
};

/** Runs a command to its end; when it fails, the error has the end of what it printed. */
const run = (command, args, { cwd, env, onLine }) =>
  new Promise((resolve, reject) => {
    // In a process group of its own, which can be ended as a whole: npm's compilers outlive npm.
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    running.add(child);
    let tail = "";
    const take = (chunk) => {
      tail = (tail + chunk).slice(-8_000);
      const line =
        tail
          .trimEnd()
          .split("\n")
          .findLast((one) => !one.includes(" warn ")) ?? "";
      onLine?.(line.slice(0, 80));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", reject);
    child.once("close", (code) => {
      running.delete(child);
      if (code === 0) resolve(undefined);
      else reject(new Error(`${command} ${args.join(" ")} failed (${code}):\n${tail.trimEnd()}`));
    });
  });

// npm's names of Node's own binaries; one differs, because its plain name was taken.
const nodePackage = `node-${process.platform === "darwin" && process.arch === "arm64" ? "bin-" : ""}${process.platform}-${process.arch}`;

/** The Node to run everything with, and the folder of its headers. */
export const locateNode = () => {
  if (Number(process.versions.node.split(".")[0]) >= nodeMajor) {
    const home = dirname(dirname(process.execPath));
    return {
      present: true,
      running: true,
      node: process.execPath,
      home: existsSync(join(home, "include", "node", "node.h")) ? home : undefined,
    };
  }
  const home = join(tools, "node", nodeVersion, "node_modules", nodePackage);
  return { present: existsSync(join(home, "complete")), running: false, node: join(home, "bin", "node"), home };
};

const installNode = async ({ home }) => {
  const prefix = join(tools, "node", nodeVersion);
  mkdirSync(prefix, { recursive: true });
  await run(
    "npm",
    ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", prefix, `${nodePackage}@${nodeVersion}`],
    {
      cwd: prefix,
      env: process.env,
    },
  );
  // A path that does not change with the version, for the astralog command.
  const link = join(tools, "node", "bin");
  rmSync(link, { force: true });
  symlinkSync(join(home, "bin"), link);
  writeFileSync(join(home, "complete"), "");
};

/** The environment in which Node 24 comes first, also for what npm compiles. */
export const environment = ({ node, home }) => {
  // What the npm that started us says about itself must not steer the npm that we start; what its user set must.
  const itself =
    /^npm_(lifecycle|package)_|^npm_(command|execpath|node_execpath)$|^npm_config_(local_|global_)?prefix$|^npm_config_user_agent$/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !itself.test(name)));
  const java = process.env.JAVA_HOME === undefined ? [] : [join(process.env.JAVA_HOME, "bin")];
  return {
    ...env,
    PATH: [dirname(node), ...java, process.env.PATH ?? ""].join(delimiter),
    ...(home === undefined ? {} : { npm_config_nodedir: home }),
  };
};

const lockFile = join(root, "package-lock.json");
const modules = join(root, "node_modules");
const packagesStamp = join(modules, ".astralog-stamp");

// Compiled packages fit one major version of Node.
const majorOf = ({ running }) => (running ? process.versions.node.split(".")[0] : String(nodeMajor));
const wantedPackages = (where) =>
  hashOf(readFileSync(lockFile, "utf8"), majorOf(where), process.platform, process.arch);

/** Whether npm's own record of node_modules has all that the lock file asks for: then somebody ran npm by hand. */
const installedByHand = () => {
  const record = join(modules, ".package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(lockFile, "utf8")).packages;
  const found = JSON.parse(readFileSync(record, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      !path.startsWith("node_modules/") || optional || link || found[path]?.version === version,
  );
};

// Not `npm ci`: it refuses a lock file that lacks another platform's optional packages, and a lock file lacks those that
// the registry it was made with did not serve. This takes what is locked as it is locked, checksums included, and leaves
// the lock file alone.
const installPackages = async (where, say) => {
  if (!installedByHand())
    await run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--foreground-scripts", "--loglevel=http"], {
      cwd: root,
      env: environment(where),
      onLine: say,
    });
  writeFileSync(packagesStamp, wantedPackages(where));
};

const pom = fileURLToPath(new URL("pom.xml", import.meta.url));
const jars = join(tools, "java");

const installJars = async (say) => {
  const fresh = `${jars}.new`;
  rmSync(fresh, { recursive: true, force: true });
  await run("mvn", ["-B", "-ntp", "-f", pom, `-Dtools=${fresh}`, "package"], {
    cwd: root,
    env: process.env,
    onLine: say,
  });
  writeFileSync(join(fresh, "stamp"), hashOf(readFileSync(pom, "utf8")));
  rmSync(jars, { recursive: true, force: true });
  renameSync(fresh, jars);
};

const s3Pom = fileURLToPath(new URL("pom-s3.xml", import.meta.url));
const s3Jars = join(tools, "s3");

const installS3 = async (say) => {
  const fresh = `${s3Jars}.new`;
  rmSync(fresh, { recursive: true, force: true });
  await run("mvn", ["-B", "-ntp", "-f", s3Pom, `-Dtools=${fresh}`, "package"], {
    cwd: root,
    env: process.env,
    onLine: say,
  });
  writeFileSync(join(fresh, "stamp"), hashOf(readFileSync(s3Pom, "utf8")));
  rmSync(s3Jars, { recursive: true, force: true });
  renameSync(fresh, s3Jars);
};

const archivesStamp = join(jars, "archives");

/** The servers run without archives too, so a failure here is told and no more. */
const makeArchives = async () => {
  const where = locateNode();
  try {
    await run(where.node, [fileURLToPath(new URL("archives.ts", import.meta.url))], {
      cwd: root,
      env: environment(where),
    });
  } catch (error) {
    console.log(`    It goes on without them: ${error.message.split("\n")[0]}`);
  }
  writeFileSync(archivesStamp, "");
};

const dashboard = join(root, "services", "dashboard");
const dashboardStamp = join(dashboard, "dist", ".astralog-stamp");

/** The files in a folder, and with `recursive` in all below it. No globs: Node 20 runs this. */
const filesIn = (folder, recursive) =>
  readdirSync(folder, { withFileTypes: true, recursive })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

/** Of all that the dashboard is built from. */
const wantedDashboard = () => {
  const files = [
    ...filesIn(dashboard, false),
    ...filesIn(join(dashboard, "src"), true),
    ...filesIn(join(dashboard, "public"), true),
    ...filesIn(join(root, "schemas", "src"), true),
  ].sort();
  return hashOf(
    readFileSync(lockFile, "utf8"),
    ...files.flatMap((file) => [relative(root, file), readFileSync(file, "utf8")]),
  );
};

const buildDashboard = async (say) => {
  const where = locateNode();
  await run(where.node, [join(modules, "vite", "bin", "vite.js"), "build"], {
    cwd: dashboard,
    env: environment(where),
    onLine: say,
  });
  writeFileSync(dashboardStamp, wantedDashboard());
};

/** What is not there yet. */
export const findMissing = () => {
  const where = locateNode();
  return {
    node: !where.present,
    packages: !stampIs(packagesStamp, wantedPackages(where)),
    jars: !stampIs(join(jars, "stamp"), hashOf(readFileSync(pom, "utf8"))),
    buckets: !stampIs(join(s3Jars, "stamp"), hashOf(readFileSync(s3Pom, "utf8"))),
    archives: !existsSync(archivesStamp),
    dashboard: !stampIs(dashboardStamp, wantedDashboard()),
  };
};

export const install = async (missing) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, giveUp);
  const where = locateNode();
  const packages = async () => {
    if (missing.node) await step(`Node ${nodeVersion}`, () => installNode(where));
    if (missing.packages)
      await step("npm packages (one is compiled where no build of it can be fetched: some minutes)", (say) =>
        installPackages(where, say),
      );
    if (missing.dashboard) await step("the dashboard", buildDashboard);
  };
  const java = async () => {
    if (missing.jars) await step("Kafka and the schema registry", installJars);
    if (missing.buckets) await step("a server of buckets", installS3);
  };
  const results = await Promise.allSettled([packages(), java()]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  if (missing.jars || missing.archives)
    await step("class archives, which let these two start in half the time", makeArchives);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, giveUp);
};
