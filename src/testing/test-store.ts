import type { TestRunner } from "./test-tape.ts";
import { storeCases } from "./test-store/store-cases.ts";
import type { StoreHarness } from "./test-store/store-harness.ts";

/** Options of {@link testStore}. */
export interface TestStoreOptions extends StoreHarness {
  /** What is under test, without spaces: the tests stand under `testStore/<name>`. */
  readonly name: string;
  readonly runner: TestRunner;
}

/**
 * Checks a store against every sentence of the port. One test a case; each gets a store of its own. What the harness
 * cannot offer is skipped with the reason.
 */
export function testStore({ name, runner, ...harness }: TestStoreOptions): void {
  runner.describe(`testStore/${name}`, () => {
    for (const { name: title, needs, run } of storeCases) {
      runner.it(title, async (context) => {
        if (needs !== undefined && harness[needs] === undefined) context.skip(`${name} has no ${needs}`);
        else await run(harness);
      });
    }
  });
}
