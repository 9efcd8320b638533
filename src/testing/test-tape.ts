import type { TapeCase } from "./test-tape/tape-case.ts";
import type { TapeHarness } from "./test-tape/tape-harness.ts";
import { tapeCases } from "./test-tape/tape-cases.ts";

/** What the suite needs of a test runner: vitest's and Node's own `describe` and `it` will do. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: (context: SkippableTest) => Promise<void>) => unknown;
}

/** The part of a runner's test context that says why a test did not run. */
export interface SkippableTest {
  skip(reason?: string): unknown;
}

/** Options of {@link testTape}. */
export interface TestTapeOptions {
  /** What is under test, without spaces: the tests stand under `testTape/<name>`. */
  readonly name: string;
  /** Opens an empty journal for this case, and what it gives is closed after it. */
  readonly open: (tapeCase: TapeCase) => Promise<TapeHarness>;
  readonly runner: TestRunner;
  /** Which cases are run; all of them, unless told. */
  readonly includes?: (tapeCase: TapeCase) => boolean;
}

/**
 * Checks an implementation of `Tape` against every rule of `docs/semantics.md`: the engine over a store, or a client
 * with a server behind it. One test a case, named by its rule; cases share nothing.
 */
export function testTape({ name, open, runner, includes = () => true }: TestTapeOptions): void {
  runner.describe(`testTape/${name}`, () => {
    for (const tapeCase of tapeCases.filter((each) => includes(each))) {
      const { rule, name: title, needs, run } = tapeCase;
      runner.it(`${rule} ${title}`, async (context) => {
        const harness = await open(tapeCase);
        try {
          if (needs !== undefined && harness[needs] === undefined) context.skip(`${name} has no ${needs}`);
          else await run(harness);
        } finally {
          await harness.close();
        }
      });
    }
  });
}
