import { afterEach, describe, expect, it, vi } from "vitest";
import { SendBudget } from "./send-budget.ts";

const mebibyte = 1024 ** 2;

afterEach(() => vi.useRealTimers());

function budget(): SendBudget {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  return new SendBudget(10 * mebibyte);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const cutter = (): ReturnType<typeof vi.fn<() => void>> => vi.fn<() => void>();

describe("the budget of bytes that wait for their readers", () => {
  it("cuts off those who have waited longest when it is overdrawn, as many as it takes, and nobody who has just begun", () => {
    const sending = budget();
    const [oldest, old, young, late] = [cutter(), cutter(), cutter(), cutter()];
    sending.take(6 * mebibyte, oldest);
    sending.take(3 * mebibyte, old);
    vi.advanceTimersByTime(200);
    sending.take(3 * mebibyte, young);
    expect([oldest, old, young].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0]);
    // All that is left is younger than a round trip: that may be more than it should.
    vi.advanceTimersByTime(50);
    sending.take(9 * mebibyte, late);
    expect([oldest, old, young, late].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0, 0]);
    expect(sending.full).toBe(true);
  });

  it("gives what was taken back once, and does not cut it off", () => {
    const sending = budget();
    const cut = cutter();
    const taken = sending.take(10 * mebibyte, cut);
    expect(sending.full).toBe(true);
    taken();
    taken();
    expect(sending.full).toBe(false);
    vi.advanceTimersByTime(5000);
    sending.take(10 * mebibyte, cutter());
    sending.take(mebibyte, cutter());
    expect(cut).not.toHaveBeenCalled();
  });

  it("does not count what is small", () => {
    const sending = budget();
    for (let index = 0; index < 10_000; index += 1) sending.take(2000, cutter());
    expect(sending.full).toBe(false);
  });

  it("lets streams wait for room, and cuts off for them who has taken nothing for a second", async () => {
    const sending = budget();
    const deaf = cutter();
    sending.take(10 * mebibyte, deaf);
    const waiting = sending.room(new AbortController().signal);
    await vi.advanceTimersByTimeAsync(900);
    expect(deaf).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(deaf).toHaveBeenCalledTimes(1);
    await waiting;
  });

  it("gives the room to one after the other", async () => {
    const sending = budget();
    const taken = sending.take(10 * mebibyte, cutter());
    const served: number[] = [];
    const all = [1, 2, 3].map(async (reader) => {
      await sending.room(new AbortController().signal);
      served.push(reader);
      sending.take(10 * mebibyte, cutter());
    });
    taken();
    await turns(5);
    expect(served).toEqual([1]);
    for (const count of [2, 3]) {
      await vi.advanceTimersByTimeAsync(1300);
      await turns(5);
      expect(served).toHaveLength(count);
    }
    await Promise.all(all);
    expect(served).toEqual([1, 2, 3]);
  });

  it("lets go of whoever leaves", async () => {
    const sending = budget();
    sending.take(10 * mebibyte, cutter());
    const leaving = new AbortController();
    const waiting = sending.room(leaving.signal);
    leaving.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
  });
});
