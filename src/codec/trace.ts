/** The trace of an entry, taken apart; empty strings when there is none. */
export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the span that wrote the entry. */
  readonly spanId: string;
  /** 16 hex digits: the caller's span. */
  readonly parentSpanId: string;
}

const noTrace: Trace = { traceId: "", spanId: "", parentSpanId: "" };
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/;

/** What an entry stores for a caller's `traceparent` (W3C Trace Context); empty when it is absent or malformed. */
export function traceOfCaller(header: string | undefined, spanId: () => string): string {
  const match = header === undefined ? null : traceparent.exec(header);
  return match === null ? "" : `${match[1]}-${spanId()}-${match[2]}`;
}

/** Takes a stored trace apart. */
export function parseTrace(stored: string): Trace {
  if (stored === "") return noTrace;
  const [traceId = "", spanId = "", parentSpanId = ""] = stored.split("-");
  return { traceId, spanId, parentSpanId };
}
