import { expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { grpcErrorTrailers } from "./wire-error.ts";

it.each([
  ["an id: order-17, that's (not) there; 100%", "an%20id:%20order-17,%20that's%20(not)%20there;%20100%25"],
  [" €\n\u007f ", "%20%E2%82%AC%0A%7F%20"],
  ["\ud800", "%EF%BF%BD"],
])("sends the message %j so that it arrives, whatever the client decodes", (message, sent) => {
  expect(grpcErrorTrailers(new TapeError("INTERNAL", message))).toMatchObject({ "grpc-message": sent });
});
