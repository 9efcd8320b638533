import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinMembers, splitMembers } from "./json-members.ts";

const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\r", "\n"), maxLength: 3 });
const escapes = fc.constantFrom('"\\u00e9"', '"\\""', '"\\\\"', '"a\\\\\\"}"', '"{[,:]}"', '"\\/"', '"\\ud83c\\udfb2"');
const numbers = fc.constantFrom("12345678901234567890", "1.10", "-0", "1e400", "0.1e-7");

/** JSON texts, with white space wherever it may stand. */
const { value, object } = fc.letrec<{ value: string; object: string; list: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(
      fc.constantFrom("null", "true", "false"),
      numbers,
      escapes,
      fc.string().map((text) => JSON.stringify(text)),
    ),
    tie("object"),
    tie("list"),
  ),
  object: fc
    .tuple(fc.array(fc.tuple(space, key(), space, space, tie("value"), space), { maxLength: 4 }), space)
    .map(([members, inner]) => {
      const texts = members.map(([a, name, b, c, text, d]) => `${a}${name}${b}:${c}${text}${d}`);
      return `{${texts.length === 0 ? inner : texts.join(",")}}`;
    }),
  list: fc
    .array(fc.tuple(space, tie("value"), space), { maxLength: 3 })
    .map((items) => `[${items.map((item) => item.join("")).join(",")}]`),
}));

function key(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom('"a"', '"b"', '"\\u0061"', '"__proto__"', '""', '"constructor"', '"1"'),
    fc.string().map((text) => JSON.stringify(text)),
  );
}

describe("the members of a JSON object", () => {
  it("are those that JSON.parse finds, whatever the white space, escapes and duplicates", () => {
    fc.assert(
      fc.property(space, object, space, (before, text, after) => {
        const found = splitMembers(before + text + after);
        const wanted = JSON.parse(text) as object;
        expect(new Map(Array.from(found, ([name, raw]) => [name, JSON.parse(raw) as unknown]))).toEqual(
          new Map(Object.entries(wanted)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("keep their values byte for byte", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(key(), value), { selector: ([name]) => JSON.parse(name) as string }),
        (all) => {
          const text = `{${all.map(([name, raw]) => ` ${name} : ${raw} `).join(",")}}`;
          const found = splitMembers(text);
          expect([...found]).toEqual(all.map(([name, raw]) => [JSON.parse(name) as string, raw]));
          expect([...splitMembers(joinMembers(found))]).toEqual([...found]);
        },
      ),
    );
  });

  it.each([
    ["{}", []],
    [" \n{ \t}\r", []],
    ['{"a":1}', [["a", "1"]]],
    [
      '{"n":12345678901234567890, "f":1.10}',
      [
        ["n", "12345678901234567890"],
        ["f", "1.10"],
      ],
    ],
    [
      '{"a":1,"b":2,"a":3}',
      [
        ["a", "3"],
        ["b", "2"],
      ],
    ],
    [
      '{"a":{"b":[1,{"c":"}"}]} ,"d":"\\"" }',
      [
        ["a", '{"b":[1,{"c":"}"}]}'],
        ["d", '"\\""'],
      ],
    ],
  ])("of %s", (text, members) => {
    expect([...splitMembers(text)]).toEqual(members);
  });
});
