import { expect, it } from "vitest";
import { bigintArray, byteaArray, textArray, utf8Array } from "./binary-array.ts";

/** The array's bytes in hex: header, then length and content of each element. */
const shown = (array: Buffer): readonly string[] => {
  const parts = [array.toString("hex", 0, 20)];
  for (let at = 20; at < array.length;) {
    const length = Math.max(0, array.readInt32BE(at));
    parts.push(`${array.readInt32BE(at)}:${array.toString("hex", at + 4, at + 4 + length)}`);
    at += 4 + length;
  }
  return parts;
};

/** One dimension, whether there are nulls, type, length, numbered from 1. */
const header = (type: number, count: number, nulls = 0): string =>
  [1, nulls, type, count, 1].map((n) => n.toString(16).padStart(8, "0")).join("");

it("writes texts with their lengths in bytes", () => {
  expect(shown(textArray(["é", "", "ab"]))).toEqual([header(25, 3), "2:c3a9", "0:", "2:6162"]);
  expect(utf8Array([Buffer.from("é"), Buffer.from("ab")])).toEqual(textArray(["é", "ab"]));
});

it("writes numbers in eight bytes, of any size and sign that is safe", () => {
  const small = [0, 1, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, -(2 ** 32) - 1];
  const values = [...small, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  const array = bigintArray(values);
  expect(array.toString("hex", 0, 20)).toBe(header(20, values.length));
  expect(values.map((_, i) => array.readInt32BE(20 + 12 * i))).toEqual(values.map(() => 8));
  expect(values.map((_, i) => Number(array.readBigInt64BE(24 + 12 * i)))).toEqual(values);
});

it("writes absent bytes as null, and says that there are some", () => {
  const array = byteaArray([Uint8Array.of(1, 0, 255), undefined, new Uint8Array()]);
  expect(shown(array)).toEqual([header(17, 3, 1), "3:0100ff", "-1:", "0:"]);
  expect(shown(byteaArray([Uint8Array.of(7)]))).toEqual([header(17, 1), "1:07"]);
});

it("takes of a view what it shows", () => {
  expect(shown(byteaArray([Uint8Array.of(1, 2, 3, 4).subarray(1, 3)]))).toEqual([header(17, 1), "2:0203"]);
});

it("writes an empty array without dimensions", () => {
  expect(textArray([]).toString("hex")).toBe("000000000000000000000019");
  expect(bigintArray([]).toString("hex")).toBe("000000000000000000000014");
  expect(byteaArray([]).toString("hex")).toBe("000000000000000000000011");
});
