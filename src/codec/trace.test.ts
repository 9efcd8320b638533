import { describe, expect, it } from "vitest";
import { parseTrace, traceOfCaller } from "./trace.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const caller = "00f067aa0ba902b7";
const own = "b7ad6b7169203331";
const stored = (header: string | undefined): string => traceOfCaller(header, () => own);

describe("the trace of an entry", () => {
  it.each([
    ["version 00", `00-${traceId}-${caller}-01`],
    ["not sampled", `00-${traceId}-${caller}-00`],
    ["a later version with more fields", `cc-${traceId}-${caller}-01-what-the-future-brings`],
  ])("is the caller's, with a span of its own: %s", (_what, header) => {
    expect(parseTrace(stored(header))).toEqual({ traceId, spanId: own, parentSpanId: caller });
  });

  it.each([
    ["no header", undefined],
    ["an empty one", ""],
    ["upper case", `00-${traceId.toUpperCase()}-${caller}-01`],
    ["version ff", `ff-${traceId}-${caller}-01`],
    ["no trace id", `00-${"0".repeat(32)}-${caller}-01`],
    ["no span id", `00-${traceId}-${"0".repeat(16)}-01`],
    ["too short", `00-${traceId}-${caller}`],
    ["flags too long", `00-${traceId}-${caller}-011`],
    ["something before it", ` 00-${traceId}-${caller}-01`],
    ["other characters", `00-${traceId}-${caller.replace("0", "g")}-01`],
  ])("is empty with %s", (_what, header) => {
    expect(stored(header)).toBe("");
    expect(parseTrace("")).toEqual({ traceId: "", spanId: "", parentSpanId: "" });
  });
});
