import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/* SPEC.md is true: what it names exists, and it leaves no event out. */

const source = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(path, "utf8");
const spec = read(join(import.meta.dirname, "SPEC.md"));

/** A path as SPEC.md writes it. */
function resolve(path: string): string {
  if (path.startsWith("test/")) return join(source, "..", path);
  return join(source, /^r\d\d-/.test(path) ? join("testing/test-tape", path) : path);
}

const rowsOf = (letter: string): readonly (readonly string[])[] =>
  spec
    .split("\n")
    .filter((line) => new RegExp(`^\\| ${letter}\\d+ \\|`).test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()));

const invariants = rowsOf("I");
const enforcements = invariants.flatMap(([, id = "", , by = ""]) =>
  Array.from(by.matchAll(/`([\w./-]+\.ts)` `(#?\w+)`/g), ([, path = "", name = ""]) => [id, path, name] as const),
);
const proofs = invariants.flatMap(([, id = "", , , by = ""]) =>
  Array.from(by.matchAll(/`([\w./-]+\.ts)` "([^"]+)"/g), ([, path = "", name = ""]) => [id, path, name] as const),
);

describe("SPEC.md", () => {
  it.each(["S", "E", "I"])("numbers everything under %s once, in order", (letter) => {
    const numbers = rowsOf(letter).map(([, id = ""]) => Number(id.slice(1)));
    expect(numbers.length).toBeGreaterThan(15);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  });

  it("says of every invariant where it is enforced and what proves it", () => {
    const unproved = invariants.filter(([, id]) => !proofs.some(([proved]) => proved === id));
    expect(unproved.map(([, id]) => id)).toEqual([]);
    const unenforced = invariants.filter(([, id]) => !enforcements.some(([enforced]) => enforced === id));
    // A pure function cannot do otherwise; and a type.
    expect(unenforced.map(([, id]) => id)).toEqual(["I3"]);
  });

  it.each(enforcements)("%s: %s has %s", (_id, path, name) => {
    const defined = new RegExp(`(?:function|const|interface|type|class) ${name}\\b|^ +(?:async )?${name}[(<]`, "m");
    expect(defined.test(read(resolve(path)))).toBe(true);
  });

  it.each(proofs)("%s: %s proves: %s", (_id, path, name) => {
    expect(read(resolve(path))).toMatch(new RegExp(`(?:it|[rR]ule)[^\\n]*\\(\\s*(?:"R\\d+",\\s*)?"${escaped(name)}"`));
  });

  it("leaves no event out, and invents none", () => {
    const told = new Set(
      rowsOf("E").flatMap(([, , kinds = ""]) => Array.from(kinds.matchAll(/`([\w/-]+)`/g), ([, kind]) => kind)),
    );
    const files = [
      "run/events.ts",
      "value/value.ts",
      "session/session.ts",
      "session/shared-state.ts",
      "claim/business-key.ts",
      "chore/chore.ts",
      "reaction/reaction.ts",
      "reaction/shard.ts",
      "reaction/flow.ts",
      "task/task.ts",
    ];
    const code = files.map((path) => read(join(import.meta.dirname, path))).join("\n");
    const entries = Array.from(
      code.matchAll(/"((?:run|decision|effect|obligation|gate|timer|budget|policy|value|event)\/\w+)"/g),
    );
    const heads = Array.from(code.matchAll(/HeadEvent<"([\w-]+)">/g), ([, kind = ""]) => `head/${kind}`);
    const there = new Set([...entries.map(([, kind]) => kind), ...heads, "head/fence"]);
    expect(told).toEqual(there);
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
