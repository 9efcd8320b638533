import { expect, test } from "vitest";
import { replyDetector } from "./reply-detector.ts";

const frame = (type: number, payload: number): Buffer => {
  const bytes = Buffer.alloc(9 + payload);
  bytes.writeUIntBE(payload, 0, 3);
  bytes[3] = type;
  return bytes;
};
const data = 0;
const headers = 1;
const settings = 4;
const ping = 6;
const windowUpdate = 8;

test("housekeeping is no reply, headers and data are", () => {
  const isReply = replyDetector();
  expect(isReply(Buffer.concat([frame(settings, 18), frame(settings, 0), frame(windowUpdate, 4)]))).toBe(false);
  expect(isReply(Buffer.concat([frame(ping, 8), frame(headers, 40)]))).toBe(true);
  expect(isReply(frame(data, 300))).toBe(true);
  expect(isReply(frame(ping, 8))).toBe(false);
});

test("frames may be cut anywhere", () => {
  const stream = Buffer.concat([frame(settings, 18), frame(headers, 5), frame(ping, 8)]);
  const isReply = replyDetector();
  const found = [...stream].map((byte) => isReply(Buffer.of(byte)));
  // The header of the second frame is complete with its ninth byte.
  expect(found.indexOf(true)).toBe(9 + 18 + 8);
  expect(found.filter(Boolean)).toHaveLength(1);
});
