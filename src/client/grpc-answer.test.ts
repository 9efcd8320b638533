import { expect, test } from "vitest";
import { TapeError } from "../errors.ts";
import { encodeStatusDetails } from "../rpc/status.ts";
import { readAnswer } from "./grpc-answer.ts";

const details = Buffer.from(encodeStatusDetails(new TapeError("LEASE_HELD", "m", { ids: { holder: "h" } }))).toString(
  "base64",
);

test.each([
  ["the trailers decide", 200, {}, { "grpc-status": "0" }, { kind: "ok" }],
  ["headers alone can be the whole answer", 200, { "grpc-status": "5" }, undefined, { error: { code: "NOT_FOUND" } }],
  [
    "a reason and its ids come from the details",
    200,
    {},
    { "grpc-status": "10", "grpc-message": "h%C3%A4", "grpc-status-details-bin": details },
    { error: { reason: "LEASE_HELD", message: "hä", ids: { holder: "h" } } },
  ],
  [
    "details that cannot be read hide nothing",
    200,
    {},
    { "grpc-status": "5", "grpc-message": "100%", "grpc-status-details-bin": "~~" },
    { error: { code: "NOT_FOUND", message: "100%" } },
  ],
  ["no status is no answer", 200, { "content-type": "text/html" }, undefined, { kind: "none" }],
  ["a proxy that is too busy", 503, {}, undefined, { error: { code: "UNAVAILABLE", retryable: true } }],
  ["a proxy that wants a login", 401, {}, undefined, { error: { code: "UNAUTHENTICATED" } }],
  ["a status nobody knows", 200, { "grpc-status": "99" }, undefined, { error: { code: "INTERNAL" } }],
])("%s", (_name, status, headers, trailers, expected) => {
  expect(readAnswer(status, headers, trailers)).toMatchObject(expected);
});
