import fc from "fast-check";
import { expect, it } from "vitest";
import { fromSqlText, toSqlText } from "./sql-text.ts";

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom("\u0000", "\u0001", "0", "1"), fc.string({ unit: "binary", maxLength: 1 })),
});

it("gives back every text, and never holds U+0000 in between", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(toSqlText(text)).not.toContain("\u0000");
      expect(fromSqlText(toSqlText(text))).toBe(text);
    }),
  );
});

it("keeps different texts different", () => {
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      expect(toSqlText(a) === toSqlText(b)).toBe(a === b);
    }),
  );
});

it("leaves ordinary texts as they are", () => {
  expect(toSqlText("e/pay\n\u0002 ü")).toBe("e/pay\n\u0002 ü");
});
