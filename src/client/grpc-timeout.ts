import type { Metadata } from "./transport.ts";

// The header holds at most eight digits and a unit.
const mostMs = 99_999_999;

/** The header that tells the server how long the caller waits; none for more than a day. */
export function grpcTimeout(timeoutMs: number | undefined): Metadata {
  if (timeoutMs === undefined || timeoutMs > mostMs) return {};
  return { "grpc-timeout": `${Math.max(1, Math.ceil(timeoutMs))}m` };
}
