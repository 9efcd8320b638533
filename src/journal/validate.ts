import { TapeError } from "../errors.ts";
import type { Limits } from "./limits.ts";

/* Checks of single fields (R7). Each returns the clean value or throws, naming field, limit and size. */

const invalid = (message: string): TapeError => new TapeError("ARGUMENT_INVALID", message);

function sized(name: string, value: string, limit: number): string {
  // A UTF-8 text has at most three bytes per UTF-16 unit, so most texts need no counting.
  if (value.length * 3 > limit) {
    const size = Buffer.byteLength(value);
    if (size > limit) throw tooLarge(name, size, limit);
  }
  return value;
}

/** An identifier that may be empty. */
export function optionalId(name: string, value: string | undefined, limits: Limits): string {
  if (value === undefined || value === "") return "";
  if (!value.isWellFormed()) throw invalid(`${name} is not well-formed Unicode`);
  return sized(name, value, limits.identifierBytes);
}

/** An identifier that must be there. */
export function requiredId(name: string, value: string | undefined, limits: Limits): string {
  const id = optionalId(name, value, limits);
  if (id === "") throw invalid(`${name} is required`);
  return id;
}

/** A derived effect key is a tool name with a run id and numbers around it (R20). */
const aroundToolName = 128;

/** The key of an effect: given or derived, so it may be longer than an identifier. */
export const effectId = (name: string, value: string | undefined, limits: Limits): string =>
  requiredId(name, value, { ...limits, identifierBytes: limits.identifierBytes + aroundToolName });

/** Payloads that travel in one message, which has a limit of its own. */
export function oneMessage(limits: Limits, ...payloads: readonly string[]): void {
  const units = payloads.reduce((sum, payload) => sum + payload.length, 0);
  if (units * 3 <= limits.messageBytes) return;
  const size = payloads.reduce((sum, payload) => sum + Buffer.byteLength(payload), 0);
  // The ids around the payloads take the rest.
  if (size >= limits.messageBytes) throw tooLarge("message", size, limits.messageBytes);
}

const tooLarge = (name: string, size: number, limit: number): TapeError =>
  new TapeError("SIZE_LIMIT", `${name} is too large: ${size} bytes, the limit is ${limit}`, {
    ids: { field: name, limit: String(limit), size: String(size) },
  });

/** Free text that stands in the feed, perhaps empty. */
export function text(name: string, value: string | undefined, limits: Limits): string {
  if (value === undefined || value === "") return "";
  if (!value.isWellFormed()) throw invalid(`${name} is not well-formed Unicode`);
  return sized(name, value, limits.textBytes);
}

/** A payload that must parse as JSON; empty is allowed and stays empty. Its text is kept as it is. */
export function json(name: string, value: string | undefined, limits: Limits): string {
  if (value === undefined || value === "") return "";
  sized(name, value, limits.payloadBytes);
  if (!value.isWellFormed()) throw invalid(`${name} is not well-formed Unicode`);
  try {
    JSON.parse(value);
  } catch {
    // The parser's message quotes the text, and payloads never appear in errors.
    throw invalid(`${name} is not valid JSON`);
  }
  return value;
}

/** A payload that must be a JSON object; empty counts as `{}`. */
export function jsonObject(name: string, value: string | undefined, limits: Limits): Record<string, unknown> {
  const checked = json(name, value, limits);
  if (checked === "") return {};
  const parsed: unknown = JSON.parse(checked);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw invalid(`${name} must be a JSON object`);
  }
  return parsed as Record<string, unknown>;
}

/** A safe integer; absent counts as 0. */
export function integer(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value)) throw invalid(`${name} must be an integer between -2^53 and 2^53`);
  return value;
}

/** A page size: 0 or less means 100, more than the limit is capped. */
export function pageSize(value: number | undefined, limits: Limits, name = "limit"): number {
  const size = integer(name, value);
  return size <= 0 ? Math.min(100, limits.pageSize) : Math.min(size, limits.pageSize);
}

/** One of a closed list of names. */
export function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw invalid(`${name} must be one of ${allowed.join(", ")}; it is ${value ?? "absent"}`);
  return found;
}

/** One of a closed list of names, where absent or UNSPECIFIED means the first. */
export function oneOfOr<T extends string>(name: string, value: string | undefined, allowed: readonly [T, ...T[]]): T {
  return value === undefined || value === "UNSPECIFIED" ? allowed[0] : oneOf(name, value, allowed);
}

/** Dollars as integer micro-dollars, rounded half up (R35). */
export function microDollars(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (!Number.isFinite(value) || value < 0) throw invalid(`${name} must be a finite number that is not negative`);
  const micros = Math.round(value * 1e6);
  if (!Number.isSafeInteger(micros)) throw invalid(`${name} is too large`);
  return micros;
}

/** Micro-dollars as dollars. */
export const dollars = (micros: number): number => micros / 1e6;
