import { describe, expect, it } from "vitest";
import type { EventEntry } from "../model/feed.ts";
import { compilePredicate } from "./predicate.ts";

const event = (payload: unknown): EventEntry => ({
  runId: "run-1",
  seq: 3,
  kind: "effect",
  payloadJson: JSON.stringify(payload),
  tsMs: 1000,
  globalSeq: 7,
  subject: "/tape/effect/pending/wire/run-1",
  schemaVersion: 1,
  traceId: "",
  spanId: "",
  parentSpanId: "",
});

describe("R51 predicates", () => {
  it.each([
    ['kind == "effect" && seq > 2', "match"],
    ["payload.attempts >= 2", "match"],
    ["payload.usd > 0.5", "match"],
    ['payload.status == "CONFIRMED"', "no match"],
    ['payload.missing == "x"', "failed"],
    ["1 / (payload.attempts - 2) == 1", "failed"],
    ["type(payload.usd) == double && has(payload.usd)", "match"],
    ['subject.startsWith("/tape/effect/")', "match"],
    ['payload.tags.exists(t, t == "b")', "match"],
    ["payload.attempts", "failed"],
    ["", "match"],
  ])("%s", (cel, expected) => {
    expect(compilePredicate(cel)(event({ status: "PENDING", attempts: 2, usd: 0.75, tags: ["a", "b"] }))).toBe(
      expected,
    );
  });

  it.each([
    ["kind ==", "does not compile"],
    ["payload.a.all(x, payload.a.all(y, x == y))", "loop within a loop"],
    [`kind == "${"x".repeat(5000)}"`, "longer than"],
    [`${"(".repeat(2000)}true${")".repeat(2000)}`, "nested too deeply"],
    [Array.from({ length: 300 }, () => "true").join("||"), "parts, the limit is 512"],
    [`payload${".a".repeat(2000)} == 1`, "parts, the limit is 512"],
    [`1${" + 1".repeat(1000)} == 1`, "parts, the limit is 512"],
    [`${"(".repeat(101)}true${")".repeat(101)}`, "nested too deeply"],
    ["paylod.a == 1", "names paylod, which is none of run_id"],
    ["payload.name.lower() == 'x'", "calls lower"],
    ["kind == '\ud800'", "not well-formed"],
  ])("refuses %s", (cel, why) => {
    expect(() => compilePredicate(cel)).toThrow(why);
  });

  it("are not evaluated on what would take too long, and end soon on the rest", () => {
    const list = (length: number): EventEntry => event({ list: Array.from({ length }, (_, i) => i + 10) });
    const search = compilePredicate("payload.list.all(x, !(1 in payload.list))");
    expect(search(list(1000))).toBe("match");
    expect(search(list(100_000))).toBe("failed");
    const text = event({ text: "a".repeat(1_000_000) });
    expect(compilePredicate('payload.text.matches("(a*)*b")')(text)).toBe("no match");
    const often = Array.from({ length: 80 }, () => 'payload.text.matches("(a*)*b")').join(" || ");
    expect(compilePredicate(often)(text)).toBe("failed");
    // Some 150 ms; without the limits it would be minutes.
  });

  it("do not search texts for texts, or read numbers, beyond bounds", () => {
    const search = { text: "a".repeat(500_000), sought: `${"a".repeat(250_000)}b${"a".repeat(100)}` };
    expect(compilePredicate("payload.text.contains(payload.sought)")(event(search))).toBe("failed");
    expect(compilePredicate("payload.text.matches(payload.sought)")(event(search))).toBe("failed");
    const large = event({ text: "a".repeat(4_000_000) });
    expect(compilePredicate(`payload.text.contains('${"a".repeat(3000)}b')`)(large)).toBe("failed");
    expect(compilePredicate("payload.text.contains('b')")(large)).toBe("no match");
    expect(compilePredicate("int(payload.text) == 1")(event({ text: "9".repeat(2_000_000) }))).toBe("failed");
    expect(
      compilePredicate("payload.list.exists(x, x.contains(payload.sought))")(event({ ...search, list: [1] })),
    ).toBe("failed");
  });

  it("say the same wherever they are evaluated: what bounds them is counted, and the deepest leave room on the stack", () => {
    const nested = `${"-(".repeat(98)}x${")".repeat(98)} == 7`;
    const cels = [
      `payload.list.exists(x, ${nested})`,
      nested.replace("x", "payload.n"),
      `seq${" + 1".repeat(150)} == 153`,
    ];
    const entry = event({ n: 7, list: [1, 7] });
    const below = (frames: number): readonly string[] =>
      frames === 0 ? cels.map((cel) => compilePredicate(cel)(entry)) : below(frames - 1);
    expect(below(0)).toEqual(["match", "match", "match"]);
    expect(below(3000)).toEqual(["match", "match", "match"]);
  });

  it("that do not look at the payload hold for payloads of any size", () => {
    expect(compilePredicate('kind == "effect"')(event({ text: "a".repeat(8_000_000) }))).toBe("match");
  });
});
