import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { knownHistories } from "./known/known-histories.ts";
import { read, save, storyOf, Summary } from "./report.ts";
import type { History } from "./round.ts";
import { judge } from "./verdicts.ts";
import { objectKinds } from "./workload/player.ts";

function known(wanted: string): History {
  const found = knownHistories.find(({ name }) => name === wanted);
  const kind = objectKinds.find(({ name }) => name === found?.kind);
  if (found === undefined || kind === undefined) throw new RangeError(wanted);
  return { kind, object: "o-1", operations: found.operations };
}

function violation(history: History) {
  const verdict = judge(history);
  if (verdict.kind !== "violation") throw new RangeError(`${history.object} is ${verdict.kind}`);
  return verdict;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tape-lin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe("a violation", () => {
  it("is told with what the object could only be, and the answer that cannot be", () => {
    const history = known("a stale read");
    expect(storyOf(history, violation(history))).toEqual([
      "o-1: the answer to get of c3 cannot be",
      "After 2 answered calls, of which the last were",
      "  [0, 1] c1 write(value=a ifVersion=-1 writer=w) -> version=1 deleted=false value=a writer=w",
      "  [2, 3] c2 write(value=b ifVersion=-1 writer=w) -> version=2 deleted=false value=b writer=w",
      "it could only be",
      '  {"version":2,"present":true,"value":"b","writer":"w","requests":[]}',
      "and then, numbers telling the order of requests and answers:",
      "* [4, 5] c3 get() -> found=true version=1 value=a writer=w",
    ]);
  });

  it("is saved so that it can be judged again", () => {
    for (const { name, isPossible } of knownHistories) {
      if (isPossible) continue;
      const history = known(name);
      const again = read(save(newFolder(), history, violation(history)));
      expect(again.kind).toBe(history.kind);
      expect(again.operations).toEqual(history.operations);
      expect(judge(again)).toEqual(violation(history));
    }
  });

  it("is refused as a file when it is something else", () => {
    const file = join(newFolder(), "x.json");
    writeFileSync(file, '{"kind":"teapot","operations":[]}');
    expect(() => read(file)).toThrow(/holds no history/);
    expect(readFileSync(file, "utf8")).toContain("teapot");
  });
});

describe("the closing table", () => {
  it("counts by kind, and holds only when every history does", () => {
    const summary = new Summary();
    expect(summary.holds).toBe(false);
    const good = known("a value is written, read, deleted and written again");
    summary.add(good, judge(good));
    expect(summary.holds).toBe(true);
    const bad = known("a claim given to two");
    summary.add(bad, judge(bad));
    summary.add(good, { kind: "undecided", states: 1000 });
    expect(summary.holds).toBe(false);
    expect(summary.lines()).toEqual([
      "object     histories  operations  unknown  overlap  states  verdict",
      "value              2          10        0        1   1,014  undecided in 1",
      "whole run          1           4        0        2      12  VIOLATED in 1",
    ]);
  });
});
