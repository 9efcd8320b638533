import { createHash } from "node:crypto";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** SHA-256 of the text's UTF-8 bytes, base64url without padding (43 characters). */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");

/** The first 72 bits of the SHA-256 of a text, 12 characters of base64url: remembers request ids (R3). */
export const shortHash = (text: string): string => sha256(text).slice(0, 12);

/** The first 120 bits of the SHA-256 of a text in 24 letters and digits that people do not confuse (Crockford). */
export function readableHash(text: string): string {
  const bytes = createHash("sha256").update(text).digest();
  let out = "";
  let bits = 0;
  let value = 0;
  for (let i = 0; out.length < 24; i += 1) {
    value = ((value << 8) | bytes.readUInt8(i)) & 0xffff;
    bits += 8;
    while (bits >= 5 && out.length < 24) {
      bits -= 5;
      out += alphabet.charAt((value >> bits) & 31);
    }
  }
  return out;
}

/** The first 32 bits of the SHA-256 of a text, as a number: spreads things evenly, the same on every server for ever. */
export const hashNumber = (text: string): number => createHash("sha256").update(text).digest().readUInt32BE();
