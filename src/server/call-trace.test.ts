import {
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
} from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { endServerSpan, startServerSpan, traceparentOf } from "./call-trace.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const caller = `00-${traceId}-b7ad6b7169203331-01`;

interface Recorded {
  readonly name: string;
  readonly options: SpanOptions | undefined;
  readonly parent: SpanContext | undefined;
  readonly attributes: Record<string, unknown>;
  status?: SpanStatus;
  ended?: true;
}

const spans: Recorded[] = [];

/** As much of an SDK as a span needs. */
function recordingSpan(name: string, options: SpanOptions | undefined, context: Context | undefined): Span {
  const parent = context && trace.getSpanContext(context);
  const recorded: Recorded = { name, options, parent, attributes: {} };
  spans.push(recorded);
  const own: SpanContext = { traceId: parent?.traceId ?? "f".repeat(32), spanId: "00f067aa0ba902b7", traceFlags: 1 };
  const span = {
    spanContext: () => own,
    isRecording: () => true,
    setAttribute: (key: string, value: unknown) => ((recorded.attributes[key] = value), span),
    setStatus: (status: SpanStatus) => ((recorded.status = status), span),
    end: () => (recorded.ended = true),
  } as unknown as Span;
  return span;
}

describe("the server's span", () => {
  it("is nothing without an SDK, and entries point at the caller's", () => {
    const span = startServerSpan("BeginRun", caller);
    expect(span.isRecording()).toBe(false);
    expect(traceparentOf(span, caller)).toBe(caller);
    expect(traceparentOf(startServerSpan("BeginRun", undefined), undefined)).toBeUndefined();
    endServerSpan(span, "r", undefined);
  });

  describe("with an SDK", () => {
    beforeEach(() => {
      spans.length = 0;
      trace.setGlobalTracerProvider({
        getTracer: () => ({
          startSpan: recordingSpan,
          startActiveSpan: () => {
            throw new Error("not used");
          },
        }),
      });
    });

    afterEach(() => trace.disable());

    it("continues the caller's trace, and entries point at it", () => {
      const span = startServerSpan("BeginRun", caller);
      expect(spans[0]).toMatchObject({
        name: "tape.v1.Tape/BeginRun",
        options: { kind: SpanKind.SERVER, attributes: { "rpc.method": "BeginRun" } },
        parent: { traceId, spanId: "b7ad6b7169203331", traceFlags: 1, isRemote: true },
      });
      expect(traceparentOf(span, caller)).toBe(`00-${traceId}-00f067aa0ba902b7-01`);
    });

    it("begins a trace when there is none", () => {
      const span = startServerSpan("BeginRun", undefined);
      expect(spans[0]?.parent).toBeUndefined();
      expect(traceparentOf(span, undefined)).toMatch(/^00-f{32}-00f067aa0ba902b7-01$/);
    });

    it("ends with the outcome", () => {
      endServerSpan(startServerSpan("BeginRun", caller), "run_1", undefined);
      endServerSpan(startServerSpan("GetRun", caller), "", new TapeError("RUN_NOT_FOUND", "none"));
      expect(spans).toMatchObject([
        { ended: true, attributes: { "rpc.grpc.status_code": 0, "tape.run_id": "run_1" } },
        {
          ended: true,
          attributes: { "rpc.grpc.status_code": 5 },
          status: { code: SpanStatusCode.ERROR, message: "RUN_NOT_FOUND" },
        },
      ]);
    });
  });
});
