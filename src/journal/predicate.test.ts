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
    ['kind == "effect" && seq > 2', true],
    ["payload.attempts >= 2", true],
    ["payload.usd > 0.5", true],
    ['payload.status == "CONFIRMED"', false],
    ['payload.missing == "x"', false],
    ['subject.startsWith("/tape/effect/")', true],
    ['payload.tags.exists(t, t == "b")', true],
    ["payload.attempts", false],
    ["", true],
  ])("%s", (cel, expected) => {
    expect(compilePredicate(cel)(event({ status: "PENDING", attempts: 2, usd: 0.75, tags: ["a", "b"] }))).toBe(
      expected,
    );
  });

  it.each([
    ["kind ==", "does not compile"],
    ["payload.a.all(x, payload.a.all(y, x == y))", "loop within a loop"],
    [`kind == "${"x".repeat(5000)}"`, "longer than"],
  ])("refuses %s", (cel, why) => {
    expect(() => compilePredicate(cel)).toThrow(why);
  });
});
