import { describe, expect, it } from "vitest";
import { withResolvers } from "../../test/engine/scripted-store.ts";
import { TapeError } from "../errors.ts";
import { defaultLimits as limits } from "../journal/limits.ts";
import type { CallOptions } from "../model/call.ts";
import { callOf, patient } from "./call.ts";
import { plainCall } from "./row-slot.ts";

const ids = { commitId: () => "commit", id: () => "id", spanId: () => "b7ad6b7169203331" };
const call = (options: CallOptions | undefined, method = "ChargeBudget") => callOf(method, options, ids, limits);

describe("what a caller says beside its request", () => {
  it("is nothing without options", () => {
    expect(call(undefined)).toBe(plainCall);
    expect(call({})).toEqual({ ...plainCall, leaseEpoch: undefined });
  });

  it("has request ids told apart by method, and kept as short hashes (R3)", () => {
    const [one, same, other] = [call({ requestId: "r" }), call({ requestId: "r" }), call({ requestId: "r" }, "EndRun")];
    expect(one.requestHash).toMatch(/^[\w-]{12}$/);
    expect(same.requestHash).toBe(one.requestHash);
    expect(other.requestHash).not.toBe(one.requestHash);
  });

  it("has request ids of at most 128 bytes", () => {
    expect(call({ requestId: "é".repeat(64) }).requestHash).not.toBe("");
    expect(() => call({ requestId: `${"é".repeat(64)}x` })).toThrow("tape-request-id");
  });

  it("has a trace with a span of its own", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    expect(call({ traceparent }).trace).toBe("4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-00f067aa0ba902b7");
  });
});

describe("a patient caller", () => {
  it("gets what the work gives", async () => {
    const { signal } = new AbortController();
    expect(await patient(Promise.resolve(1), undefined)).toBe(1);
    expect(await patient(Promise.resolve(1), { signal, timeoutMs: 1000 })).toBe(1);
    await expect(patient(Promise.reject(new Error("no")), { signal })).rejects.toThrow("no");
  });

  it("that leaves is CANCELLED, whether before or while it waits", async () => {
    const caller = new AbortController();
    const waiting = patient(withResolvers().promise, { signal: caller.signal });
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ reason: "CANCELLED" });
    const late = patient(withResolvers().promise, { signal: caller.signal });
    await expect(late).rejects.toMatchObject({ reason: "CANCELLED" });
  });

  it.each([
    [new DOMException("too late", "TimeoutError"), "DEADLINE_EXCEEDED"],
    [new TapeError("SHUTTING_DOWN", "the server stops"), "SHUTTING_DOWN"],
    ["bored", "CANCELLED"],
  ])("whose signal fires with %s gets %s", async (why, reason) => {
    const caller = new AbortController();
    const waiting = patient(withResolvers().promise, { signal: caller.signal });
    caller.abort(why);
    await expect(waiting).rejects.toMatchObject({ reason });
  });

  it("with a deadline gives up then", async () => {
    const waiting = patient(withResolvers().promise, { timeoutMs: 1 });
    await expect(waiting).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
  });
});
