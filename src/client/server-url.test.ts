import { expect, test } from "vitest";
import { originOf } from "./server-url.ts";

test.each([
  ["tape://127.0.0.1:7878", "http://127.0.0.1:7878"],
  ["tape://host", "http://host:7878"],
  ["tapes://tape.example.com", "https://tape.example.com:443"],
  ["tapes://tape.example.com:8443/", "https://tape.example.com:8443"],
  ["tape://[::1]:1", "http://[::1]:1"],
])("%s is %s", (url, origin) => {
  expect(originOf(url)).toBe(origin);
});

test.each(["", "127.0.0.1:7878", "http://host:7878", "sqlite:./tape.db", "tape:host", "tape://", "tape://host:99999"])(
  "%j is no server's URL",
  (url) => {
    expect(() => originOf(url)).toThrow(expect.objectContaining({ reason: "ARGUMENT_INVALID" }));
  },
);

test.each(["tape://user:secret@host", "tape://host/path", "tape://host?x=1", "tape://host#x"])(
  "%j says too much, and the message does not repeat it",
  (url) => {
    expect(() => originOf(url)).toThrow(/^The server's URL cannot be used: (?!.*secret)/);
  },
);
