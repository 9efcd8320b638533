/** Numbers of gRPC's status codes. Source: the gRPC core documentation, "Status codes and their use". */
export const codes = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The gRPC status of a failed call; undefined when it failed before it was one. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}

/** A transaction that has to begin anew: nothing was written. */
export const isAborted = (error: unknown): boolean => statusOf(error) === codes.aborted;
export const isNotFound = (error: unknown): boolean => statusOf(error) === codes.notFound;
export const isAlreadyThere = (error: unknown): boolean => statusOf(error) === codes.alreadyExists;
export const isForbidden = (error: unknown): boolean => statusOf(error) === codes.permissionDenied;
export const isUnimplemented = (error: unknown): boolean => statusOf(error) === codes.unimplemented;

/** The service has answered that it did not do it. Everything else may have been done, or be done yet. */
export function isDefinite(error: unknown): boolean {
  const status = statusOf(error);
  const definite: readonly (number | undefined)[] = [
    codes.invalidArgument,
    codes.notFound,
    codes.alreadyExists,
    codes.permissionDenied,
    codes.resourceExhausted,
    codes.failedPrecondition,
    codes.outOfRange,
    codes.unimplemented,
    codes.unauthenticated,
  ];
  return definite.includes(status);
}

/** Worth another try at once: the call never arrived, or its connection broke. */
export const isPassing = (error: unknown): boolean => statusOf(error) === codes.unavailable;

/** What to do without usable credentials. */
export const noCredentials: string =
  "no usable Application Default Credentials: run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS, or give the machine a service account";

const longest = 300;

/** What a failed call says, in one line. */
export function saidBy(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = (text.split("\n")[0] ?? "").replaceAll(/\p{Cc}/gu, " ").trim();
  return line.length > longest ? `${line.slice(0, longest)}...` : line;
}
