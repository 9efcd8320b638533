import { expect, test } from "vitest";
import { fromPs, livingProcesses, parseStat } from "./process-table.ts";

test("a line of /proc, whatever the program is called", () => {
  expect(parseStat("4711 (a) R 1 (b) S 12 4711 4711 0 -1\n")).toEqual({ pid: 4711, parent: 12, state: "S" });
  expect(parseStat("")).toBeUndefined();
});

test("the output of ps", () => {
  expect(fromPs("    1     0 Ss\n 4711    12 T+\n")).toEqual([
    { pid: 1, parent: 0, state: "S" },
    { pid: 4711, parent: 12, state: "T" },
  ]);
});

test("this process is alive", async () => {
  expect(await livingProcesses()).toContainEqual(expect.objectContaining({ pid: process.pid, parent: process.ppid }));
});
