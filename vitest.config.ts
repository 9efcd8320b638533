import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from "vitest/config";
import LongFilesFirst from "./test/long-files-first.ts";

const shared: NonNullable<TestProjectInlineConfiguration["test"]> = {
  setupFiles: ["test/keep-output.ts"],
  // Processes, not threads: a test that crashes a native SQLite handle must not take others with it.
  pool: "forks",
  // A thousand commits on an emulator take ten seconds by themselves, and longer beside others.
  testTimeout: 60_000,
  hookTimeout: 20_000,
  // vitest's own second is too short when the machine is busy.
  expect: { poll: { timeout: 30_000 } },
};

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: "crossing", include: ["test/**/*.test.ts"] } },
      // Mostly small: loading what it needs is most of what such a file costs, so files share a process one after the other.
      { test: { ...shared, name: "beside", include: ["src/**/*.test.ts"], isolate: false, unstubEnvs: true } },
    ],
    globalSetup: ["test/search-logs.ts", "test/build-dist.ts", "test/servers-setup.ts"],
    reporters: ["default", "./test/suite-table-reporter.ts"],
    // Most tests wait for databases and sockets most of the time; vitest's own choice is one worker on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongFilesFirst },
    coverage: { include: ["src/**/*.ts"], exclude: ["src/rpc/gen/**", "src/**/*.test.ts"] },
  },
});

export default config;
