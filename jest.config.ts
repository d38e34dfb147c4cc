/**
 * Two projects. `values`: *.test.ts, pure functions, no servers. `real`: *.real.test.ts, against the real servers that
 * services/testbed starts once for the run.
 */
import type { Config } from "jest";

const project = {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2024", parser: { syntax: "typescript" } }, module: { type: "es6" }, sourceMaps: "inline" },
    ] as [string, Record<string, unknown>],
  },
  // Other checkouts' data and the tools fetched by `npm start` are no part of the project.
  modulePathIgnorePatterns: ["<rootDir>/.astralog/"],
};

const config: Config = {
  // Each worker drives service processes of its own; two keep a two-core machine busy and no busier.
  maxWorkers: 2,
  // For the real servers: starting four of them while others work can take half a minute.
  testTimeout: 120_000,
  projects: [
    {
      ...project,
      displayName: "values",
      testMatch: ["<rootDir>/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", "\\.real\\.test\\.ts$"],
    },
    {
      ...project,
      displayName: "real",
      testMatch: ["<rootDir>/**/*.real.test.ts"],
      globalSetup: "<rootDir>/services/testbed/global-setup.mjs",
      globalTeardown: "<rootDir>/services/testbed/global-teardown.mjs",
    },
  ],
};

export default config;
