import fc from "fast-check";
import { expect, it } from "vitest";
import type { Append, RowId } from "../store.ts";
import { packBatch, unpackBatch } from "./packed-batch.ts";

const bytes = fc.uint8Array({ maxLength: 50 });
const keys = fc.array(fc.record({ index: fc.string(), key: fc.string() }), { maxLength: 3 });
const entry = fc.record(
  {
    seq: fc.nat(),
    kind: fc.string(),
    ref: fc.string({ unit: "binary" }),
    dims: fc.string(),
    meta: fc.string(),
    at: fc.nat({ max: 2 ** 48 }),
    trace: fc.string(),
    body: bytes,
  },
  { requiredKeys: ["seq", "kind", "ref", "dims", "meta", "at", "trace"] },
);
const append: fc.Arbitrary<Append> = fc.record({
  row: fc.string().map((text) => text as RowId),
  expect: fc.nat(),
  commitId: fc.string(),
  head: bytes,
  entries: fc.array(entry, { maxLength: 4 }),
  trimBelow: fc.nat(),
  dropBodiesBelow: fc.nat(),
  index: fc.record({ add: keys, remove: keys }),
});

it("unpacks what was packed, through a structured clone", () => {
  fc.assert(
    fc.property(fc.array(append, { maxLength: 5 }), (batch) => {
      const packed = packBatch(batch);
      const sent = structuredClone(packed, { transfer: [packed.bytes.buffer, packed.numbers.buffer] });
      expect(unpackBatch(sent)).toEqual(batch);
    }),
  );
});

it("leaves the caller's bytes where they are", () => {
  const head = Uint8Array.of(1, 2, 3);
  const packed = packBatch([
    { row: "a" as RowId, expect: 0, commitId: "c", head, entries: [], index: { add: [], remove: [] } },
  ]);
  structuredClone(packed, { transfer: [packed.bytes.buffer, packed.numbers.buffer] });
  expect(head).toEqual(Uint8Array.of(1, 2, 3));
});
