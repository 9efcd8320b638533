import { InvalidArgumentError } from "commander";
import { parseDuration } from "./text/duration.ts";

/** A whole number; `fault` says what else it may be. */
export function whole(text: string, fault = "not a whole number."): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError(fault);
  return value;
}

/** A number of things: at least one. */
export function count(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError("ask for at least 1.");
  return value;
}

/** A length of time in milliseconds. */
export function length(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("write 30s, 10m, 2h or 7d.");
  return ms;
}
