import { expect, test } from "vitest";
import type { Database, DatabaseWay } from "./database.ts";
import { killDatabase } from "./database-kill.ts";
import type { Kill } from "./kill.ts";

/** Kills at this call, and tells what was done in which order. */
async function stepsOf(kill: Pick<Kill, "when" | "call">, broken: "kill" | "nothing" = "nothing"): Promise<string> {
  const steps: string[] = [];
  const note = (step: string): Promise<void> => {
    steps.push(step);
    return step === broken ? Promise.reject(new Error("cannot")) : Promise.resolve();
  };
  const database: Database = {
    kill: () => note("kill"),
    start: () => note("start"),
    hold: async (what) => {
      await note(`hold ${what}`);
      return { caught: () => note("caught"), letGo: () => note("let go"), end: () => note("end") };
    },
    openWay: () => Promise.reject(new Error("is open")),
  };
  const way: DatabaseWay = {
    storeUrl: "postgres://way",
    loseAnswers: () => void note("lose answers"),
    mend: () => void note("mend"),
    close: () => note("close"),
  };
  await killDatabase({
    kill: { victim: "database", role: "agent", ...kill },
    database,
    way,
    pass: () => void note("pass"),
    cameFurther: new AbortController().signal,
    tell: () => void note("tell"),
  }).catch((error: unknown) => note(String(error)));
  return steps.join(", ");
}

test("before: the call meets a dead database", async () => {
  expect(await stepsOf({ when: "before", call: "endRun" })).toBe("kill, tell, pass, start");
});

test("during: a statement that has begun is cut off", async () => {
  expect(await stepsOf({ when: "during", call: "endRun" })).toBe(
    "hold writes, pass, caught, kill, tell, end, mend, start",
  );
});

test("after: nothing gets through from before the commit on", async () => {
  expect(await stepsOf({ when: "after", call: "endRun" })).toBe(
    "hold writes, pass, caught, lose answers, let go, kill, tell, end, mend, start",
  );
});

test("a call that only reads is met at its reading", async () => {
  expect(await stepsOf({ when: "during", call: "getDecision 1" })).toContain("hold all, pass");
});

test("a database that could not be killed is started in any case", async () => {
  expect(await stepsOf({ when: "before", call: "endRun" }, "kill")).toBe("kill, start, Error: cannot");
  expect(await stepsOf({ when: "during", call: "endRun" }, "kill")).toMatch(/kill, end, mend, start, Error: cannot$/);
});
