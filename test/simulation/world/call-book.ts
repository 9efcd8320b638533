/** A call as its caller means it, however often it is sent. Entries carry its number as their trace. */
export interface CallRecord {
  readonly number: number;
  readonly method: string;
  readonly caller: string;
  readonly leaseEpoch: number | undefined;
  readonly requestId: string | undefined;
  /** Who it says that makes it. */
  readonly claimer: string | undefined;
  readonly ifVersion: number | undefined;
  /** How often it arrived. */
  arrived: number;
  /** The appends that had entries of it. */
  readonly commitIds: Set<string>;
}

const digits = 32;

/** Every call that was ever made, so that an entry in the store says who wrote it and what it believed. */
export class CallBook {
  readonly #calls = new Map<string, CallRecord>();

  note(call: CallRecord): void {
    this.#calls.set(traceIdOf(call.number), call);
  }

  /** The call that wrote an entry with this trace. */
  writerOf(trace: string): CallRecord | undefined {
    return this.#calls.get(trace.slice(0, digits));
  }
}

const traceIdOf = (number: number): string => number.toString(16).padStart(digits, "0");

/** What a caller sends along, so that the entries name its call. */
export const traceparentOf = (number: number): string => `00-${traceIdOf(number)}-00000000000000a1-01`;
