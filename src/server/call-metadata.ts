import type { IncomingHttpHeaders } from "node:http";
import { TapeError } from "../errors.ts";
import { defaultLimits } from "../journal/limits.ts";
import type { CallOptions } from "../model/call.ts";

/* The headers of `docs/semantics.md`, "Metadata", to and from what the calls of Tape take and give. */

// Visible ASCII and spaces: what gRPC allows in a header.
const plainText = /^[\x20-\x7e]+$/;
// W3C Trace Context: version ff is invalid, as are ids of zeros only.
const traceForm = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** Reads the request's metadata; a malformed header is ARGUMENT_INVALID, a long one SIZE_LIMIT, each naming it. */
export function readCallOptions(headers: IncomingHttpHeaders): CallOptions {
  const strict = textHeader(headers, "tape-strict", defaultLimits.identifierBytes);
  if (strict !== undefined && strict !== "0" && strict !== "1") throw badHeader("tape-strict", "must be 0 or 1");
  return {
    requestId: textHeader(headers, "tape-request-id", defaultLimits.requestIdBytes),
    leaseEpoch: integerHeader(headers, "tape-lease-epoch", 0),
    strict: strict === "1",
    gateOccurrence: integerHeader(headers, "tape-gate-occurrence", 1),
    claimer: textHeader(headers, "tape-claimer", defaultLimits.identifierBytes),
    traceparent: readTraceparent(headers),
  };
}

/** The caller's trace. A malformed one counts as none, as W3C demands: a trace must never fail a write. */
export function readTraceparent(headers: IncomingHttpHeaders): string | undefined {
  const value = headers["traceparent"];
  return typeof value === "string" && traceForm.test(value) ? value : undefined;
}

const noMetadata: Readonly<Record<string, string>> = Object.freeze({});

/** The response's metadata: what a result holds beside the message of its RPC. */
export function responseMetadata(result: object): Readonly<Record<string, string>> {
  if ("leaseEpoch" in result && Number(result.leaseEpoch) > 0) return { "tape-lease-epoch": String(result.leaseEpoch) };
  if ("diverged" in result && result.diverged === true) return { "tape-divergence": "1" };
  if ("gap" in result && result.gap === true) return { "tape-gap": "1" };
  if ("rowsRead" in result && "keysRead" in result) {
    return { "tape-keys-read": String(result.keysRead), "tape-rows-read": String(result.rowsRead) };
  }
  return noMetadata;
}

function textHeader(headers: IncomingHttpHeaders, name: string, maxBytes: number): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !plainText.test(value))
    throw badHeader(name, "must be visible ASCII, and not empty");
  if (value.length > maxBytes) {
    throw new TapeError("SIZE_LIMIT", `${name} is too large: ${value.length} bytes, the limit is ${maxBytes}`, {
      ids: { field: name, limit: String(maxBytes), size: String(value.length) },
    });
  }
  return value;
}

function integerHeader(headers: IncomingHttpHeaders, name: string, min: number): number | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  const value = typeof text === "string" && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw badHeader(name, `must be a whole number of at least ${min}`);
}

function badHeader(name: string, fault: string): TapeError {
  return new TapeError("ARGUMENT_INVALID", `header ${name}: ${fault}`, { ids: { field: name } });
}
