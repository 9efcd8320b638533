import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { decodeBody, encodeBody } from "./body.ts";

const texts = fc.array(
  fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
  { maxLength: 4 },
);

/** What a reader makes of these bytes: the texts, or the reason why there are none. */
function read(body: Uint8Array): readonly string[] | string {
  try {
    return decodeBody(body, "entry 7 of row r");
  } catch (error) {
    if (!(error instanceof TapeError) || !error.message.includes("entry 7 of row r")) throw error;
    return error.reason;
  }
}

describe("the body of an entry", () => {
  it("gives its texts back, byte for byte", () => {
    fc.assert(
      fc.property(texts, (all) => {
        expect(read(encodeBody(all))).toEqual(all);
      }),
    );
    expect(read(encodeBody(["\uFEFFbom", "\u0000", "", "🎲"]))).toEqual(["\uFEFFbom", "\u0000", "", "🎲"]);
    expect(read(encodeBody([]))).toEqual([]);
  });

  it("may stand anywhere in a larger buffer", () => {
    const body = encodeBody(["a", "bc"]);
    const larger = new Uint8Array(body.length + 20);
    larger.set(body, 13);
    expect(read(larger.subarray(13, 13 + body.length))).toEqual(["a", "bc"]);
  });

  it("that is cut short or goes on is STORE_CORRUPT", () => {
    fc.assert(
      fc.property(texts, (all) => {
        const body = encodeBody(all);
        for (let length = 0; length < body.length; length += 1) {
          expect(read(body.subarray(0, length))).toBe("STORE_CORRUPT");
        }
        expect(read(Uint8Array.of(...body, 0))).toBe("STORE_CORRUPT");
      }),
      { numRuns: 30 },
    );
  });

  it("with any byte flipped is other texts or an error, never a crash", () => {
    fc.assert(
      fc.property(texts, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, at, flip) => {
        const body = encodeBody(all);
        const place = at % body.length;
        body[place] = (body[place] ?? 0) ^ flip;
        const found = read(body);
        expect(found).not.toEqual(all);
        expect(Array.isArray(found) || found === "STORE_CORRUPT" || found === "FORMAT_NEWER").toBe(true);
      }),
    );
  });

  it.each([
    ["a newer format", [2, 0], "FORMAT_NEWER"],
    ["format 0", [0, 0], "STORE_CORRUPT"],
    ["lengths that go far beyond the end", [1, 1, 255, 255, 255, 255], "STORE_CORRUPT"],
    ["bytes that are no UTF-8", [1, 1, 0, 0, 0, 1, 0xff], "STORE_CORRUPT"],
    ["half a surrogate pair", [1, 1, 0, 0, 0, 3, 0xed, 0xa0, 0x80], "STORE_CORRUPT"],
  ])("with %s is refused", (_what, bytes, reason) => {
    expect(read(Uint8Array.from(bytes))).toBe(reason);
  });
});
