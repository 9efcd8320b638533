import { appendLine, type JsonObject, numberField, readLines, textField } from "./json-lines.ts";

/** Money to be moved. */
export interface Transfer {
  readonly cents: number;
  readonly account: string;
}

/** One line of the bank's ledger: money that has moved. */
export interface Booking extends Transfer {
  readonly kind: "sweep" | "wire";
  /** The bank's own number. */
  readonly ref: string;
  /** A sweep's idempotency key; a wire's reference, as the customer wrote it. */
  readonly key: string;
}

/** Reads one booking from a ledger line or from an answer of the bank. */
export function decodeBooking(object: JsonObject): Booking {
  const kind = textField(object, "kind");
  if (kind !== "sweep" && kind !== "wire") throw new Error(`unknown booking kind ${kind}`);
  return {
    kind,
    ref: textField(object, "ref"),
    cents: numberField(object, "cents"),
    account: textField(object, "account"),
    key: textField(object, "key"),
  };
}

/** Everything the bank has booked, oldest first. */
export function readLedger(path: string): readonly Booking[] {
  return readLines(path, decodeBooking);
}

/** Books; durable when it returns. */
export function book(path: string, booking: Booking): void {
  appendLine(path, booking);
}
