import { expect, test } from "vitest";
import { type Point, probed } from "./probe.ts";

interface Target {
  due: readonly string[];
  beginEffect(request: { toolName: string }): Promise<number>;
  listDue(): Promise<{ effects: readonly string[] }>;
  subscribeRun(request: { runId: string }): AsyncIterable<number>;
}

function watched(): { passed: string[]; target: Target; tape: Target } {
  const passed: string[] = [];
  const target: Target = {
    due: [],
    beginEffect: ({ toolName }) => Promise.resolve(toolName.length),
    listDue: () => Promise.resolve({ effects: target.due }),
    async *subscribeRun() {
      yield await Promise.resolve(1);
      yield 2;
    },
  };
  const gatekeeper = ({ when, call }: Point): Promise<void> => {
    passed.push(`${when} ${call}`);
    return Promise.resolve();
  };
  return { passed, target, tape: probed(target, "tape.", gatekeeper) };
}

test("each call has a point before and one after, with a name of its own", async () => {
  const { passed, tape } = watched();
  expect(await tape.beginEffect({ toolName: "wire" })).toBe(4);
  await tape.beginEffect({ toolName: "wire" });
  expect(passed).toEqual([
    "before tape.beginEffect wire",
    "after tape.beginEffect wire",
    "before tape.beginEffect wire (2)",
    "after tape.beginEffect wire (2)",
  ]);
});

test("a poll is always the same step, and has a point after it only when it finds something", async () => {
  const { passed, target, tape } = watched();
  await tape.listDue();
  target.due = ["one"];
  await tape.listDue();
  expect(passed).toEqual(["before tape.listDue", "before tape.listDue", "after tape.listDue"]);
});

test("a stream has its point behind the first entry, before the program sees it", async () => {
  const { passed, tape } = watched();
  const seen: (number | string)[] = [];
  for await (const entry of tape.subscribeRun({ runId: "r" })) seen.push(entry, ...passed.splice(0));
  expect(seen).toEqual([1, "before tape.subscribeRun", "after tape.subscribeRun", 2]);
});

test("a program that may not pass does not act", async () => {
  let acted = false;
  const tape = probed({ act: () => Promise.resolve((acted = true)) }, "", () => new Promise(() => undefined));
  void tape.act();
  await new Promise((resolve) => setImmediate(resolve));
  expect(acted).toBe(false);
});
