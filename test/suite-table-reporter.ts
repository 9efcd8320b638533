import type { Reporter, TestCase, TestModule, TestResult } from "vitest/node";

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Prints how many tests each suite has on each store. The tests of a suite that runs on several stores stand in a
 * `describe("<suite>/<store> ...")`, such as `testTape/sqlite`; all others count for their folder.
 */
export default class SuiteTableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, Count>();
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) add(counts, suiteOf(test) ?? folderOf(module), test.result().state);
      // A file that could not even be loaded has no tests to fail.
      if (tests.length === 0 && !module.ok()) add(counts, folderOf(module), "failed");
    }
    const rows = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
    rows.push(["all", total(rows.map(([, count]) => count))]);
    const width = Math.max(...rows.map(([name]) => name.length));
    process.stdout.write(`\n${"suite/store".padEnd(width)}  passed  failed  skipped\n`);
    for (const [name, { passed, failed, skipped }] of rows) {
      const columns = [cell(passed, 8), cell(failed, 8), cell(skipped, 9)];
      process.stdout.write(`${name.padEnd(width)}${columns.join("")}\n`);
    }
  }
}

function suiteOf(test: TestCase): string | undefined {
  return /(?:^|> )(test[A-Z]\w*\/\S+)/.exec(test.fullName)?.[1];
}

function folderOf(module: TestModule): string {
  return module.relativeModuleId.split("/").slice(0, -1).slice(0, 3).join("/");
}

function add(counts: Map<string, Count>, row: string, state: TestResult["state"]): void {
  const count = counts.get(row) ?? { passed: 0, failed: 0, skipped: 0 };
  // A test that never came to a result did not pass.
  count[state === "pending" ? "failed" : state] += 1;
  counts.set(row, count);
}

function total(counts: readonly Count[]): Count {
  const sum = (key: keyof Count): number => counts.reduce((all, count) => all + count[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

function cell(count: number, width: number): string {
  return String(count).padStart(width);
}
