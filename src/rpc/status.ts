import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { errorReasons, TapeError, type TapeErrorCode, type TapeErrorReason } from "../errors.ts";
import { ErrorInfoSchema, type ErrorInfo } from "./gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "./gen/google/rpc/status_pb.ts";

/** The number of each code in gRPC; Connect's codes have the same numbers. */
export const statusNumbers: Readonly<Record<TapeErrorCode, number>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** What a status without a known reason is taken for: one from a proxy, or from a newer server. */
const reasonsByStatus: ReadonlyMap<number, TapeErrorReason> = new Map<number, TapeErrorReason>([
  [statusNumbers.CANCELLED, "CANCELLED"],
  [statusNumbers.INVALID_ARGUMENT, "ARGUMENT_INVALID"],
  [statusNumbers.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"],
  [statusNumbers.NOT_FOUND, "RUN_NOT_FOUND"],
  [statusNumbers.ALREADY_EXISTS, "BUSINESS_KEY_USED"],
  [statusNumbers.PERMISSION_DENIED, "SCOPE_NOT_GRANTED"],
  [statusNumbers.RESOURCE_EXHAUSTED, "SIZE_LIMIT"],
  [statusNumbers.FAILED_PRECONDITION, "TRANSITION_NOT_ALLOWED"],
  [statusNumbers.ABORTED, "WRITE_CONFLICT"],
  [statusNumbers.UNIMPLEMENTED, "UNIMPLEMENTED"],
  [statusNumbers.UNAVAILABLE, "SERVER_UNAVAILABLE"],
  [statusNumbers.UNAUTHENTICATED, "CREDENTIALS_INVALID"],
]);

/** The domain of the reasons (R9). */
const domain = "tape";

/** The detail that goes with an error: its reason and the ids concerned (R9). Never its cause. */
export function toErrorInfo(error: TapeError): ErrorInfo {
  return create(ErrorInfoSchema, { reason: error.reason, domain, metadata: { ...error.ids } });
}

/**
 * The error that a status and its details stand for.
 * Details of another domain are ignored; without a reason of ours the status alone decides, INTERNAL if it is unknown.
 */
export function fromStatus(status: number, message: string, details: readonly ErrorInfo[], cause?: unknown): TapeError {
  const info = details.find((detail) => detail.domain === domain);
  const ids = info === undefined ? {} : { ...info.metadata };
  const fallback = reasonsByStatus.get(status) ?? "INTERNAL";
  const reason = info !== undefined && isReason(info.reason, status) ? info.reason : fallback;
  return new TapeError(reason, message, { ids, cause });
}

/** The value of the trailer `grpc-status-details-bin`, before base64. */
export function encodeStatusDetails(error: TapeError): Uint8Array {
  const details = [anyPack(ErrorInfoSchema, toErrorInfo(error))];
  return toBinary(
    StatusSchema,
    create(StatusSchema, { code: statusNumbers[error.code], message: error.message, details }),
  );
}

/** The details in a trailer `grpc-status-details-bin`, after base64; none if it cannot be read. */
export function decodeStatusDetails(bytes: Uint8Array): ErrorInfo[] {
  try {
    const status = fromBinary(StatusSchema, bytes);
    return status.details.map((any) => anyUnpack(any, ErrorInfoSchema)).filter((info) => info !== undefined);
  } catch {
    // A detail helps, the status decides: a broken one must not hide the error that it belongs to.
    return [];
  }
}

function isReason(reason: string, status: number): reason is TapeErrorReason {
  const codes: Readonly<Record<string, TapeErrorCode>> = errorReasons;
  const code = Object.hasOwn(codes, reason) ? codes[reason] : undefined;
  return code !== undefined && statusNumbers[code] === status;
}
