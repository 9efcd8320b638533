import { base64Decode } from "@bufbuild/protobuf/wire";
import type { TapeError } from "../errors.ts";
import { decodeStatusDetails, fromStatus, statusNumbers } from "../rpc/status.ts";
import type { ReplyMetadata } from "./transport.ts";

/** How an RPC ended, by what the server said; `none` when it said nothing to that. */
export type Answer =
  | { readonly kind: "ok" }
  | { readonly kind: "error"; readonly error: TapeError }
  | { readonly kind: "none" };

/** What a proxy's refusal means. Source: gRPC's mapping of HTTP statuses; anything else is UNAVAILABLE. */
const statusOfHttp: ReadonlyMap<number, number> = new Map([
  [400, statusNumbers.INTERNAL],
  [401, statusNumbers.UNAUTHENTICATED],
  [403, statusNumbers.PERMISSION_DENIED],
  [404, statusNumbers.UNIMPLEMENTED],
  [413, statusNumbers.RESOURCE_EXHAUSTED],
]);

/** Reads the gRPC status from the trailers, or from the headers when there is nothing but headers. */
export function readAnswer(httpStatus: number, headers: ReplyMetadata, trailers: ReplyMetadata | undefined): Answer {
  const from = trailers?.["grpc-status"] === undefined ? headers : trailers;
  const status = text(from, "grpc-status");
  if (status === "0") return { kind: "ok" };
  if (status !== "") {
    const details = decodeDetails(text(from, "grpc-status-details-bin"));
    return { kind: "error", error: fromStatus(Number(status), decodeMessage(text(from, "grpc-message")), details) };
  }
  if (httpStatus === 200 || httpStatus === 0) return { kind: "none" };
  const message = `The server, or a proxy before it, answered with the HTTP status ${httpStatus} instead of a gRPC one.`;
  return { kind: "error", error: fromStatus(statusOfHttp.get(httpStatus) ?? statusNumbers.UNAVAILABLE, message, []) };
}

/** One header as text; empty when it is absent. */
export function text(metadata: ReplyMetadata, name: string): string {
  const value = metadata[name];
  return typeof value === "string" ? value : (value ?? []).join(",");
}

function decodeDetails(base64: string): ReturnType<typeof decodeStatusDetails> {
  try {
    return base64 === "" ? [] : decodeStatusDetails(base64Decode(base64));
  } catch {
    return [];
  }
}

/** Messages are percent-encoded; one that is not stays as it is. */
function decodeMessage(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
