import { describe, expect, it } from "vitest";
import type { Tape } from "../src/model/tape.ts";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import { engineHarness, tapeCases, type TapeCase, type TapeHarness } from "../src/testing/index.ts";
import { brokenBus } from "./broken-tapes/broken-bus.ts";
import { brokenData } from "./broken-tapes/broken-data.ts";
import { brokenInspect } from "./broken-tapes/broken-inspect.ts";
import { brokenRuns } from "./broken-tapes/broken-runs.ts";
import { sharedStore } from "./store-views.ts";

const brokenTapes = [...brokenRuns, ...brokenData, ...brokenBus, ...brokenInspect];

function harness(wrap?: (tape: Tape) => Tape): Promise<TapeHarness> {
  return engineHarness({
    wrap,
    openStore: async () => {
      const store = new MemoryStore();
      await store.open();
      return sharedStore(store);
    },
  });
}

async function run(tapeCase: TapeCase, opened: TapeHarness): Promise<void> {
  try {
    await tapeCase.run(opened);
  } finally {
    await opened.close();
  }
}

function caseOf(title: string): TapeCase {
  const found = tapeCases.find(({ rule, name }) => `${rule} ${name}` === title);
  if (found === undefined) throw new Error(`the suite has no case "${title}"`);
  return found;
}

describe("testTape catches a Tape of which it is true that", () => {
  it.each(brokenTapes)("$wrong", async ({ caughtBy, breaks }) => {
    const tapeCase = caseOf(caughtBy);
    await run(tapeCase, await harness());
    await expect(run(tapeCase, await harness(breaks))).rejects.toBeInstanceOf(Error);
  });

  it("what was acknowledged is gone after reopening", async () => {
    const tapeCase = caseOf("R1 payloads, values and sessions are there after reopening");
    const good = await harness();
    const empty = await harness();
    await expect(run(tapeCase, { ...good, reopen: async () => empty.tape })).rejects.toBeInstanceOf(Error);
    await empty.close();
  });

  it.each(["a second completion overwrites the first", "fencing is ignored", "a duplicate makes no obligation"])(
    "%s, by random calls alone",
    async (wrong) => {
      const broken = brokenTapes.find((each) => each.wrong === wrong);
      const walks = tapeCases.filter(({ name }) => name.includes("random calls"));
      const outcomes = await Promise.allSettled(walks.map(async (walk) => run(walk, await harness(broken?.breaks))));
      expect(outcomes.some((outcome) => outcome.status === "rejected")).toBe(true);
    },
  );
});

describe("the cases of testTape", () => {
  it("have titles of their own", () => {
    const titles = tapeCases.map(({ rule, name }) => `${rule} ${name}`);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it("cover every rule that is in force", () => {
    const wanted =
      "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 20 21 22 23 24 25 26 27 28 30 31 32 33 35 36 40 41 42 45 46 50 51 52 60 61 65 66 70 71 75 80 81 82 83 84 85";
    const covered = new Set(tapeCases.map(({ rule }) => rule));
    expect(wanted.split(" ").filter((number) => !covered.has(`R${number}`))).toEqual([]);
  });

  it("say what they need when a harness cannot offer it", async () => {
    const needing = tapeCases.filter(({ needs }) => needs !== undefined);
    expect(needing.length).toBeGreaterThan(0);
    const poor: TapeHarness = { ...(await harness()), tapeFor: undefined };
    await expect(needing[0]?.run(poor)).rejects.toThrow(TypeError);
    await poor.close();
  });
});
