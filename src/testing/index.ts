export { engineHarness, type EngineHarnessOptions } from "./engine-harness.ts";
export { FakeClock } from "./fake-clock.ts";
export { seededRandom, type Random } from "./random.ts";
export { testTape, type SkippableTest, type TestRunner, type TestTapeOptions } from "./test-tape.ts";
export type { TapeCase } from "./test-tape/tape-case.ts";
export { tapeCases } from "./test-tape/tape-cases.ts";
export type { TapeHarness } from "./test-tape/tape-harness.ts";
