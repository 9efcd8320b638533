import { expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { SharedReads } from "./shared-reads.ts";

function shared(most: number, refuse: (asked: readonly string[]) => TapeError | undefined = () => undefined) {
  const calls: string[] = [];
  const readAll = async (asked: readonly string[]): Promise<readonly string[]> => {
    calls.push(asked.join(" "));
    const error = refuse(asked);
    if (error !== undefined) throw error;
    return asked.map((name) => `read ${name}`);
  };
  return { calls, reads: new SharedReads({ readAll, most }) };
}

const ask = (reads: SharedReads<string, string>, names: readonly string[]) =>
  Promise.allSettled(names.map((name) => reads.read(name)));

it("what is asked for in one turn is read in one call, each gets its own, and no call is larger than allowed", async () => {
  const { calls, reads } = shared(3);
  expect(await Promise.all(["a", "b", "a", "c"].map((name) => reads.read(name)))).toEqual([
    "read a",
    "read b",
    "read a",
    "read c",
  ]);
  expect(await reads.read("d")).toBe("read d");
  expect(calls).toEqual(["a b a", "c", "d"]);
});

it("what is damaged is an error for who asked for it, and for nobody else", async () => {
  const corrupt = new TapeError("STORE_CORRUPT", "row b is damaged");
  const { calls, reads } = shared(9, (asked) => (asked.includes("b") ? corrupt : undefined));
  const outcomes = await ask(reads, ["a", "b", "c"]);
  expect(outcomes).toEqual([
    { status: "fulfilled", value: "read a" },
    { status: "rejected", reason: corrupt },
    { status: "fulfilled", value: "read c" },
  ]);
  expect(calls).toEqual(["a b c", "a", "b", "c"]);
});

it("a database that is away is not asked once more for each", async () => {
  const away = new TapeError("STORE_UNAVAILABLE", "the database is away");
  const { calls, reads } = shared(9, () => away);
  expect(await ask(reads, ["a", "b"])).toEqual([
    { status: "rejected", reason: away },
    { status: "rejected", reason: away },
  ]);
  expect(calls).toEqual(["a b"]);
});
