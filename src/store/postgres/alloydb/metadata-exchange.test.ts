import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeRequest, takeResponse } from "./metadata-exchange.ts";

/** As the protobuf runtime writes it, with fields of every kind that this side does not know. */
function answer(code: number, error?: string): Buffer {
  const writer = new BinaryWriter().tag(7, 0).uint64("18446744073709551615").tag(8, 5).fixed32(1);
  writer.tag(1, 0).int32(code).tag(9, 1).fixed64("1");
  if (error !== undefined) writer.tag(2, 2).string(error);
  return framed(writer.tag(300, 2).string("later").finish());
}

function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

describe("the metadata exchange", () => {
  it("writes requests that a protobuf runtime reads", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ maxLength: 5000 }), fc.boolean(), (agent, token, iam) => {
        const bytes = encodeRequest({ userAgent: agent, authType: iam ? "iam" : "native", token });
        expect(bytes.readUInt32BE()).toBe(bytes.length - 4);
        const reader = new BinaryReader(bytes.subarray(4));
        expect([reader.tag(), reader.string()]).toEqual([[1, 2], Buffer.from(agent).toString()]);
        expect([reader.tag(), reader.int32()]).toEqual([[2, 0], iam ? 2 : 1]);
        expect([reader.tag(), reader.string()]).toEqual([[3, 2], token]);
        expect(reader.pos).toBe(reader.len);
      }),
    );
  });

  it("reads answers that a protobuf runtime writes, with what follows them", () => {
    const rest = Buffer.from("R...");
    expect(takeResponse(Buffer.concat([answer(1), rest]))).toEqual({ response: { ok: true, error: "" }, rest });
    expect(takeResponse(answer(2, "no: ü"))).toMatchObject({ response: { ok: false, error: "no: ü" } });
    expect(takeResponse(answer(0))).toMatchObject({ response: { ok: false } });
    expect(takeResponse(framed(Buffer.alloc(0)))).toMatchObject({ response: { ok: false } });
  });

  it("waits for every byte of an answer", () => {
    const bytes = answer(2, "refused");
    for (let length = 0; length < bytes.length; length += 1) {
      expect(takeResponse(bytes.subarray(0, length))).toBeUndefined();
    }
  });

  it.each([
    ["a length no answer has", Buffer.from("HTTP/1.1 400 Bad Request")],
    ["a varint cut off", framed(Buffer.from([0x08, 0x80]))],
    ["a varint without end", framed(Buffer.alloc(12, 0xff))],
    ["a text longer than the message", framed(Buffer.from([0x12, 0x05, 0x41]))],
    ["a number cut off", framed(Buffer.from([0x19, 0x00]))],
    ["a kind that protobuf does not have", framed(Buffer.from([0x0f]))],
  ])("calls %s malformed", (_, bytes) => {
    expect(takeResponse(bytes)).toBe("malformed");
  });

  it("has an answer to any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(takeResponse(framed(bytes))).toBeDefined();
      }),
    );
  });
});
