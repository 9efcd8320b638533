import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { pageToken, positionIn } from "./page-token.ts";

const invalid = expect.objectContaining({ reason: "ARGUMENT_INVALID", ids: { field: "page_token" } });
const positions = fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.maxSafeInteger()), { maxLength: 10 });

describe("a page token", () => {
  it("leads back to its position, for its own query alone", () => {
    fc.assert(
      fc.property(positions, fc.string(), fc.string(), (position, query, other) => {
        fc.pre(query !== other);
        const token = pageToken(query, position);
        expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(positionIn(token, query)).toEqual(position);
        expect(() => positionIn(token, other)).toThrow(invalid);
      }),
    );
  });

  it("that is empty stands for the start", () => {
    expect(positionIn("", "query")).toBeNull();
  });

  it("is a position or refused, whatever has become of its characters", () => {
    const token = pageToken("query", ["0000000000000001abcdefghijkl", "run-1", 7]);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, instead) => {
        const changed = token.slice(0, at) + instead + token.slice(at + 1);
        expect(["ARGUMENT_INVALID", "position"]).toContain(outcome(changed));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(["ARGUMENT_INVALID", "position"]).toContain(outcome(text));
      }),
    );
  });

  it.each([
    ["cut off", pageToken("query", ["a"]).slice(0, -1)],
    ["spelled otherwise", `${pageToken("query", ["ab"])}=`],
    ["of another format", Buffer.from('[2,"x"]').toString("base64url")],
    ["no list", Buffer.from('{"0":1}').toString("base64url")],
    ["with what is no text and no integer", Buffer.from("[1,null,{}]").toString("base64url")],
    ["longer than any", "A".repeat(20_000)],
  ])("is refused when it is %s", (_how, token) => {
    expect(() => positionIn(token, "query")).toThrow(invalid);
  });
});

function outcome(token: string): unknown {
  try {
    positionIn(token, "query");
    return "position";
  } catch (error) {
    return error instanceof TapeError ? error.reason : error;
  }
}
