// What must be on the machine before anything can be fetched, and how to get it there.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export const javaMinimum = 17;

// Programs by package manager; the first manager found is the one that is suggested.
const managers = {
  brew: { command: "brew install", java: "openjdk@17", mvn: "maven", git: "git", npm: "node" },
  "apt-get": {
    command: "sudo apt-get install -y",
    java: "openjdk-17-jre-headless",
    mvn: "maven",
    git: "git",
    npm: "npm",
  },
  dnf: { command: "sudo dnf install -y", java: "java-17-openjdk-headless", mvn: "maven", git: "git", npm: "npm" },
  pacman: { command: "sudo pacman -S", java: "jre17-openjdk-headless", mvn: "maven", git: "git", npm: "npm" },
  apk: { command: "sudo apk add", java: "openjdk17-jre-headless", mvn: "maven", git: "git", npm: "npm" },
};

const inPath = (program, path) =>
  path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** 17 of `openjdk version "17.0.15"`, 8 of `"1.8.0_402"`; 0 when the text is none of Java's. */
export const javaMajor = (text) => {
  const [, first = "0", second = "0"] = /version "(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return first === "1" ? Number(second) : Number(first);
};

/** The problems, each with the command that mends it; empty when all is there. `needed`: names among git, java, mvn, npm. */
export const findProblems = (needed, path = process.env.PATH ?? "") => {
  const [, manager] = Object.entries(managers).find(([name]) => inPath(name, path)) ?? [];
  const get = (program) =>
    manager === undefined ? "install it with your system's package manager" : `${manager.command} ${manager[program]}`;
  return needed.flatMap((program) => {
    if (!inPath(program, path)) return [`${program} is missing: ${get(program)}`];
    if (program !== "java") return [];
    const { stderr = "", stdout = "" } = spawnSync("java", ["-version"], {
      encoding: "utf8",
      env: { ...process.env, PATH: path },
    });
    const found = javaMajor(`${stderr}${stdout}`);
    return found >= javaMinimum
      ? []
      : [`java is version ${found || "unknown"}, and ${javaMinimum} or newer is needed: ${get("java")}`];
  });
};
