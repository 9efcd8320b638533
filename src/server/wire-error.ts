import type { OutgoingHttpHeaders } from "node:http2";
import { ConnectError } from "@connectrpc/connect";
import type { TapeError } from "../errors.ts";
import { ErrorInfoSchema } from "../rpc/gen/google/rpc/error_details_pb.ts";
import { encodeStatusDetails, statusNumbers, toErrorInfo } from "../rpc/status.ts";

/* An error as the protocols say it, with its reason and ids as a google.rpc.ErrorInfo (R9); its cause is never sent. */

/** As trailers of gRPC. */
export function grpcErrorTrailers(error: TapeError): OutgoingHttpHeaders {
  return {
    "grpc-status": String(statusNumbers[error.code]),
    "grpc-message": percentEncoded(error.message),
    "grpc-status-details-bin": Buffer.from(encodeStatusDetails(error)).toString("base64").replace(/=+$/, ""),
  };
}

/** As an error that connect says in the protocol of the call. */
export function connectErrorOf(error: TapeError): ConnectError {
  const detail = { desc: ErrorInfoSchema, value: toErrorInfo(error) };
  return new ConnectError(error.message, statusNumbers[error.code], undefined, [detail]);
}

/** As gRPC wants it: visible ASCII stays as it is, because some clients decode no more than they must. */
function percentEncoded(message: string): string {
  // By way of bytes, because a lone surrogate cannot be percent-encoded.
  const encoded = encodeURIComponent(Buffer.from(message).toString());
  return encoded.replaceAll(/%(?!20|25|7F)[2-7][0-9A-F]/g, decodeURIComponent);
}
