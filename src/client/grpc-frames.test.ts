import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameReader, frameOf } from "./grpc-frames.ts";

describe("FrameReader", () => {
  test("gives the same messages however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.array(fc.integer({ min: 1, max: 60 })),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(frameOf));
          const reader = new FrameReader();
          const read: Uint8Array[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            for (const frame of reader.push(bytes.subarray(at, at + cut))) read.push(frame.data);
            at += cut;
          }
          expect(read.map((data) => [...data])).toEqual(messages.map((message) => [...message]));
        },
      ),
    );
  });

  test("tells trailers from messages", () => {
    const frame = frameOf(new Uint8Array([1]));
    frame[0] = 0x80;
    expect(new FrameReader().push(frame)).toEqual([{ trailers: true, data: new Uint8Array([1]) }]);
  });

  test("refuses compression and absurd lengths", () => {
    expect(() => new FrameReader().push(new Uint8Array([1, 0, 0, 0, 0]))).toThrow("compressed");
    expect(() => new FrameReader().push(new Uint8Array([0, 0xff, 0xff, 0xff, 0xff]))).toThrow("4294967295 bytes");
  });
});
