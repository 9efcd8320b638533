import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { status as grpcStatus } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { errorReasons, TapeError, type TapeErrorReason } from "../errors.ts";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "./gen/google/rpc/status_pb.ts";
import { decodeStatusDetails, encodeStatusDetails, fromStatus, statusNumbers, toErrorInfo } from "./status.ts";

const reasons = Object.keys(errorReasons).filter((reason): reason is TapeErrorReason => reason in errorReasons);

describe("status", () => {
  it("numbers every code as gRPC and Connect do", () => {
    for (const [code, number] of Object.entries(statusNumbers)) {
      expect(grpcStatus[number]).toBe(code);
      const connectName = (Code[number] ?? "").replace("Canceled", "Cancelled");
      expect(connectName.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()).toBe(code);
    }
  });

  it.each(reasons)("carries %s with its ids over the wire", (reason) => {
    const error = new TapeError(reason, "what to do next", { ids: { run_id: "run_1" }, cause: new Error("secret") });
    const bytes = encodeStatusDetails(error);
    expect(Buffer.from(bytes).includes("secret")).toBe(false);
    const back = fromStatus(statusNumbers[error.code], error.message, decodeStatusDetails(bytes));
    expect(back).toMatchObject({ reason, code: error.code, message: "what to do next", ids: { run_id: "run_1" } });
  });

  it("has the domain `tape`", () => {
    expect(toErrorInfo(new TapeError("LEASE_HELD", "")).domain).toBe("tape");
  });

  it("makes an error of the same code from every gRPC status, UNAVAILABLE retryable", () => {
    for (const [code, number] of Object.entries(statusNumbers)) {
      expect(fromStatus(number, "", []).code).toBe(code);
    }
    for (const number of [0, 2, 11, 15, 99]) expect(fromStatus(number, "", []).code).toBe("INTERNAL");
    expect(fromStatus(statusNumbers.UNAVAILABLE, "", []).retryable).toBe(true);
  });

  it.each([
    ["of another domain", { domain: "proxy", reason: "LEASE_HELD" }],
    ["that does not exist", { domain: "tape", reason: "LEASE_LOST" }],
    ["that is a property of every object", { domain: "tape", reason: "constructor" }],
    ["that belongs to another status", { domain: "tape", reason: "RUN_NOT_FOUND" }],
  ])("does not take a reason %s", (_what, info) => {
    const error = fromStatus(statusNumbers.ABORTED, "", [create(ErrorInfoSchema, info)]);
    expect(error).toMatchObject({ code: "ABORTED", reason: "WRITE_CONFLICT" });
  });

  it("reads no details from bytes that are none, or of another type", () => {
    expect(decodeStatusDetails(Uint8Array.of(1, 2, 3))).toEqual([]);
    const other = create(StatusSchema, { details: [anyPack(StatusSchema, create(StatusSchema))] });
    expect(decodeStatusDetails(toBinary(StatusSchema, other))).toEqual([]);
  });
});
