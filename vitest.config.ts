import { availableParallelism } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import LongFilesFirst from "./test/long-files-first.ts";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/search-logs.ts", "test/build-dist.ts", "test/servers-setup.ts"],
    setupFiles: ["test/keep-output.ts"],
    reporters: ["default", "./test/suite-table-reporter.ts"],
    // Processes, not threads: a test that crashes a native SQLite handle must not take others with it.
    pool: "forks",
    // Most tests wait for databases and sockets most of the time; vitest's own choice is one worker on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongFilesFirst },
    // A thousand commits on an emulator take ten seconds by themselves, and longer beside others.
    testTimeout: 60_000,
    hookTimeout: 20_000,
    // vitest's own second is too short when the machine is busy.
    expect: { poll: { timeout: 30_000 } },
    coverage: { include: ["src/**/*.ts"], exclude: ["src/rpc/gen/**", "src/**/*.test.ts"] },
  },
});

export default config;
