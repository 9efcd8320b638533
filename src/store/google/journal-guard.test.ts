import { describe, expect, it } from "vitest";
import { JournalGuard } from "./journal-guard.ts";

/** A guard whose looks wait until they are answered. */
function scene(): {
  readonly guard: JournalGuard;
  readonly looks: () => number;
  readonly answer: (id: string | undefined) => Promise<void>;
} {
  const waiting: ((id: string | undefined) => void)[] = [];
  let looks = 0;
  const guard = new JournalGuard({
    place: "table t",
    id: "mine",
    read: () => {
      looks += 1;
      return new Promise((resolve) => waiting.push(resolve));
    },
  });
  const answer = async (id: string | undefined): Promise<void> => {
    waiting.shift()?.(id);
    for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
  };
  return { guard, looks: () => looks, answer };
}

const stateOf = async (promise: Promise<unknown>): Promise<string> =>
  Promise.race([
    promise.then(
      () => "done",
      () => "refused",
    ),
    Promise.resolve("waiting"),
  ]);

describe("a journal", () => {
  it("that nobody doubts is not looked at", async () => {
    const { guard, looks } = scene();
    await guard.assure();
    expect(looks()).toBe(0);
  });

  it("that is doubted lets nobody pass before it has been looked at, once for all who wait", async () => {
    const { guard, looks, answer } = scene();
    guard.doubt();
    const waiting = [guard.assure(), guard.assure()];
    const late = guard.assure();
    expect(await stateOf(late)).toBe("waiting");
    await answer("mine");
    await Promise.all([...waiting, late, guard.assure()]);
    expect(looks()).toBe(1);
  });

  it("that is doubted while it is looked at is looked at again", async () => {
    const { guard, looks, answer } = scene();
    guard.doubt();
    const waiting = guard.assure();
    guard.doubt();
    await answer("mine");
    expect(await stateOf(waiting)).toBe("waiting");
    await answer("mine");
    await waiting;
    expect(looks()).toBe(2);
  });

  it("that is another one, or none, is refused for good", async () => {
    const { guard, answer } = scene();
    guard.doubt();
    const first = guard.assure().catch(String);
    await answer("theirs");
    expect(await first).toContain("journal mine is gone: table t holds another one, theirs");
    const second = guard.assure().catch(String);
    await answer(undefined);
    expect(await second).toContain("journal mine is gone: table t holds none");
  });
});
