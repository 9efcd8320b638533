import { describe, expect, it } from "vitest";
import { readableHash, sha256, shortHash } from "./hash.ts";

describe("hashes are the same for ever: stored names are made of them", () => {
  it.each([
    ["", "werc8gmrzge196qvyk49jvxs", "47DEQpj8HBSa", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"],
    ["a", "sabr24pa3eywnyp266ssm8yw", "ypeBEsobvcr6", "ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs"],
    ["ü€🎲", "ypgfry9gzkf39f2e5ygwby7e", "9aD8eTD83jS8", "9aD8eTD83jS8Ti-hxfjui1Sxxew6VyjX3jyNcQNgk7o"],
  ])("%j", (text, readable, short, whole) => {
    expect([readableHash(text), shortHash(text), sha256(text)]).toEqual([readable, short, whole]);
  });

  it("uses letters and digits only that people do not confuse", () => {
    for (let i = 0; i < 200; i += 1) expect(readableHash(String(i))).toMatch(/^[0-9a-hjkmnp-tv-z]{24}$/);
  });

  it("is the number of the first 120 bits of the SHA-256, in base 32", () => {
    const bits = BigInt(`0x${Buffer.from(sha256("tape"), "base64url").toString("hex").slice(0, 30)}`);
    const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    const wanted = Array.from({ length: 24 }, (_, i) => alphabet[Number((bits >> BigInt(5 * (23 - i))) & 31n)]).join(
      "",
    );
    expect(readableHash("tape")).toBe(wanted);
  });
});
