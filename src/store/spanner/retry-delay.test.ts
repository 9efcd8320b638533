import { describe, expect, it } from "vitest";
import { retryDelay } from "./retry-delay.ts";

const aborted = (info?: readonly number[]): Error =>
  Object.assign(new Error("aborted"), {
    code: 10,
    metadata: {
      get: (key: string) => (key === "google.rpc.retryinfo-bin" && info !== undefined ? [new Uint8Array(info)] : []),
    },
  });

describe("the pause before an aborted transaction begins anew", () => {
  it.each([
    // RetryInfo { retry_delay { nanos: 12_000_000 } }
    ["12 ms", [0x0a, 0x05, 0x10, 0x80, 0xb6, 0xdc, 0x05], 12],
    // RetryInfo { retry_delay { seconds: 1, nanos: 500_000_000 } }
    ["1.5 s", [0x0a, 0x08, 0x08, 0x01, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01], 1500],
    ["none at all", [0x0a, 0x00], 0],
  ] as const)("is what the service says: %s", (_what, info, ms) => {
    expect(retryDelay(aborted(info), 3)).toBe(ms);
  });

  it("otherwise grows twofold up to a second, half of it by chance", () => {
    const longest = [0, 1, 2, 6, 7, 50].map((attempt) => retryDelay(aborted(), attempt, () => 1));
    expect(longest).toEqual([10, 20, 40, 640, 1000, 1000]);
    expect(retryDelay(aborted(), 2, () => 0)).toBe(20);
    expect(retryDelay(aborted([]), 2, () => 0)).toBe(20);
    expect(retryDelay("no error", 0, () => 0)).toBe(5);
  });
});
