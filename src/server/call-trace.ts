import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  isSpanContextValid,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import type { TapeError } from "../errors.ts";
import { statusNumbers } from "../rpc/status.ts";

// Only the API: without an SDK in the process every span is a no-op.
const tracer: Tracer = trace.getTracer("tape-journal");

/** Begins the server's span of a call, as a child of the caller's when there is a (well-formed) `traceparent`. */
export function startServerSpan(method: string, traceparent: string | undefined): Span {
  const options = {
    kind: SpanKind.SERVER,
    attributes: { "rpc.system": "grpc", "rpc.service": "tape.v1.Tape", "rpc.method": method },
  };
  return tracer.startSpan(`tape.v1.Tape/${method}`, options, parentOf(traceparent));
}

/** What the entries of the call should point at: the server's span if it is one, else the caller's. */
export function traceparentOf(span: Span, fallback: string | undefined): string | undefined {
  const context = span.spanContext();
  if (!span.isRecording() || !isSpanContextValid(context)) return fallback;
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, "0")}`;
}

/** Ends a span with the outcome of its call. */
export function endServerSpan(span: Span, runId: string, error: TapeError | undefined): void {
  if (!span.isRecording()) return;
  span.setAttribute("rpc.grpc.status_code", error === undefined ? 0 : statusNumbers[error.code]);
  if (runId !== "") span.setAttribute("tape.run_id", runId);
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error.reason });
  span.end();
}

function parentOf(traceparent: string | undefined): typeof ROOT_CONTEXT {
  const [, traceId, spanId, flags] = traceparent?.split("-") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
  });
}
