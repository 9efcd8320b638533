import picocolors from "picocolors";
import { describe, expect, test } from "vitest";
import { printable } from "../terminal.ts";
import { columns } from "./columns.ts";
import { duration, parseDuration } from "./duration.ts";
import { tell } from "./entry.ts";
import { dollars, plural } from "./money.ts";
import { paintOf } from "./paint.ts";
import { shellWord } from "./shell-word.ts";

test.each([
  [0, "0.000s"],
  [12, "0.012s"],
  [59_999, "59.999s"],
  [60_000, "1m 00s"],
  [185_000, "3m 05s"],
  [7_380_000, "2h 03m"],
  [86_400_000 * 5 + 3 * 3_600_000, "5d 03h"],
])("%d ms is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  ["250ms", 250],
  ["1.5s", 1500],
  ["10m", 600_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
  ["10", undefined],
  ["-1s", undefined],
  ["1y", undefined],
])("the duration %s is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [5, "$5.00"],
  [0.000001, "$0.000001"],
  [1234.5, "$1,234.50"],
])("%d dollars are %s", (usd, text) => {
  expect(dollars(usd)).toBe(text);
});

test("counts have their nouns", () => {
  expect([plural(1, "token"), plural(1200, "token"), plural(2, "entry", "entries")]).toEqual([
    "1 token",
    "1,200 tokens",
    "2 entries",
  ]);
});

describe("columns", () => {
  test("stand below each other, and paint does not shift them", () => {
    const red = picocolors.createColors(true).red;
    const rows = [
      ["a", { text: "bb", paint: red }, "c"],
      ["aaa", "b", ""],
    ];
    expect(columns(rows)).toEqual([`a    ${red("bb")}  c`, "aaa  b"]);
  });

  test("shorten the last cell to the width, but not to nothing", () => {
    const rows = [["head", "x".repeat(50)]];
    expect(columns(rows, 36)).toEqual([`head  ${"x".repeat(29)}…`]);
    expect(columns(rows, 10)).toEqual([`head  ${"x".repeat(23)}…`]);
  });
});

test("printable text stays on its line and leaves the cursor alone", () => {
  expect(printable("a\r\n b\u001B[31m\u202Ec é😀")).toBe(String.raw`a ⏎ b\x1b[31m\u{202e}c é😀`);
});

test.each([
  ["run-1/decision-0/wire/0", "run-1/decision-0/wire/0"],
  ["two words", "'two words'"],
  ["it's", String.raw`'it'\''s'`],
  ["", "''"],
  ["$(rm)", "'$(rm)'"],
])("a shell takes %s as %s", (text, word) => {
  expect(shellWord(text)).toBe(word);
});

test("what needs a person is painted so, and nothing is without colours", () => {
  const colours = picocolors.createColors(true);
  expect(paintOf(colours, "unknown")("x")).toBe(colours.bold(colours.red("x")));
  expect(paintOf(colours, "CONFIRMED")("x")).toBe(colours.green("x"));
  expect(paintOf(picocolors.createColors(false), "STUCK")("x")).toBe("x");
});

describe("entries in words", () => {
  const entry = (kind: string, verb: string, payload: object): ReturnType<typeof tell> =>
    tell({ runId: "r", kind, subject: `/tape/${kind}/${verb}/x`, payloadJson: JSON.stringify(payload) });

  test.each([
    [
      "policy",
      "denied",
      { tool: "wire", required_scope: "money", granted_scopes: ["read"] },
      "wire",
      'needs scope money, granted ["read"]',
    ],
    ["gate", "waiting", { gate: "g", occurrence: 2 }, "g", "wait 2"],
    ["value", "deleted", { namespace: "n", key: "k", version: 3, deleted: true }, "n/k", "version 3"],
    [
      "value",
      "changed",
      { namespace: "n", key: "k", version: 2, writer: "w", value: { value_json: "[1]" } },
      "n/k",
      "version 2, by w, [1]",
    ],
    [
      "obligation",
      "pending",
      { kind: "undo", obligation_seq: 4, effect_key: "r/decision-0/a/0", attempts: 1, error: "no" },
      "undo",
      "#4 for decision-0/a/0, 1 attempt, no",
    ],
    [
      "effect",
      "observed",
      { tool: "t", decision_index: -1, resolution: "ABSENT", external_ref: "x" },
      "t",
      "ref x, absent",
    ],
    ["later", "invented", { some: "thing" }, "", '{"some":"thing"}'],
  ])("%s %s", (kind, verb, payload, about, details) => {
    expect(entry(kind, verb, payload)).toEqual({ kind, verb, about, details });
  });

  test("a payload that is no object is no reason to fail", () => {
    expect(tell({ runId: "", kind: "gate", subject: "", payloadJson: "nonsense" })).toEqual({
      kind: "gate",
      verb: "",
      about: "",
      details: "",
    });
  });
});
