import { expect, test } from "vitest";
import type { Evidence } from "./evidence.ts";
import { prove } from "./proof.ts";
import { script } from "./scripted-model.ts";

const sweep = { kind: "sweep", ref: "S-1001", cents: 25_000_000, account: "reserve", key: "k" } as const;
const wire = { kind: "wire", ref: "W-1002", cents: 4_825_000, account: "Acme Supplies", key: "i" } as const;

const good: Evidence = {
  ledger: [sweep, wire],
  modelCalls: [0, 1, 2].map((index) => ({ call: index + 1, index })),
  runStatus: "TERMINAL",
  answers: new Map(script.map(({ answer }, index) => [index, { ...answer, call: index + 1 }])),
  effects: new Map([
    ["sweep", { tool: "sweep", status: "CONFIRMED" }],
    ["wire", { tool: "wire", status: "CONFIRMED" }],
  ]),
  charges: 3,
  microUsdSpent: 36_000,
  tokensSpent: 5_250,
};

const broken = (change: Partial<Evidence>): readonly string[] =>
  prove({ ...good, ...change })
    .filter(({ holds }) => !holds)
    .map(({ claim }) => claim);

test("good evidence proves everything", () => {
  expect(broken({})).toEqual([]);
});

test("a model call that was made but never recorded may be made again", () => {
  const modelCalls = [
    { call: 1, index: 0 },
    { call: 2, index: 0 },
    { call: 3, index: 1 },
    { call: 4, index: 2 },
  ];
  const answers = new Map(script.map(({ answer }, index) => [index, { ...answer, call: index + 2 }]));
  expect(broken({ modelCalls, answers })).toEqual([]);
});

test.each<[string, Partial<Evidence>, RegExp]>([
  ["no sweep", { ledger: [wire] }, /one sweep/],
  ["a second sweep", { ledger: [sweep, sweep, wire] }, /one sweep/],
  ["a second wire", { ledger: [sweep, wire, wire] }, /one wire/],
  ["another amount", { ledger: [sweep, { ...wire, cents: 1 }] }, /one wire/],
  ["another account", { ledger: [{ ...sweep, account: "x" }, wire] }, /one sweep/],
  ["a recorded call made again", { modelCalls: [...good.modelCalls, { call: 4, index: 1 }] }, /no recorded model call/],
  ["a decision missing", { answers: new Map([...good.answers].slice(1)) }, /no recorded model call/],
  ["a charge made twice", { charges: 4, microUsdSpent: 48_500 }, /budget exact/],
  ["a charge lost", { charges: 2, tokensSpent: 3_850 }, /budget exact/],
  ["a millionth too much", { microUsdSpent: 36_001 }, /budget exact/],
  ["a run that goes on", { runStatus: "RUNNING" }, /TERMINAL/],
  [
    "an effect left UNKNOWN",
    { effects: new Map([...good.effects, ["wire 2", { tool: "wire", status: "UNKNOWN" }]]) },
    /TERMINAL/,
  ],
  [
    "a wire not confirmed",
    { effects: new Map([...good.effects, ["wire", { tool: "wire", status: "FAILED" }]]) },
    /TERMINAL/,
  ],
])("%s breaks its claim alone", (_, change, claim) => {
  expect(broken(change)).toEqual([expect.stringMatching(claim)]);
});
