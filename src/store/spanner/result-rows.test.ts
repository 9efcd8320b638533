import { expect, it } from "vitest";
import type { PartialResult, WireValue } from "./driver.ts";
import { resultOf } from "./result-rows.ts";

const text = (stringValue: string): WireValue => ({ kind: "stringValue", stringValue });
const nothing: WireValue = { kind: "nullValue", nullValue: "NULL_VALUE" };

async function* parts(...all: readonly PartialResult[]): AsyncGenerator<PartialResult> {
  yield* all;
}

it("an answer that is cut anywhere, also within a value, is put together again", async () => {
  const { rows, transaction } = await resultOf(
    parts(
      {
        metadata: { transaction: { readTimestamp: { seconds: 7, nanos: 1 } } },
        values: [text("a"), text("be")],
        chunkedValue: true,
      },
      { values: [text("gi")], chunkedValue: true },
      { values: [text("n"), text("c")] },
      { values: [] },
      { values: [nothing, text(""), text("")], chunkedValue: true },
      { values: [text("end")] },
    ),
    2,
  );
  expect(rows.map((row) => [row.text(0), row.isNull(1) ? null : row.text(1)])).toEqual([
    ["a", "begin"],
    ["c", null],
    ["", "end"],
  ]);
  expect(transaction.readTimestamp).toEqual({ seconds: 7, nanos: 1 });
});

it("an answer without rows", async () => {
  expect((await resultOf(parts({ metadata: {} }), 3)).rows).toEqual([]);
});
