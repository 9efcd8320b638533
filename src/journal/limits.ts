const mebibyte = 1024 * 1024;

/** The limits of rule R7. */
export interface Limits {
  /** UTF-8 bytes of an identifier. */
  readonly identifierBytes: number;
  /** UTF-8 bytes of a payload field. */
  readonly payloadBytes: number;
  /** Bytes of a request or response message. */
  readonly messageBytes: number;
  /** UTF-8 bytes of free text that stands in the feed: rationales and error texts. */
  readonly textBytes: number;
  /** UTF-8 bytes of a request id. */
  readonly requestIdBytes: number;
  /** Effects of one run that are PENDING or UNKNOWN. */
  readonly openEffects: number;
  /** Unfired timers of one run. */
  readonly unfiredTimers: number;
  /** Labels of one run, and scopes. */
  readonly labels: number;
  /** Items of one page; larger requests are capped. */
  readonly pageSize: number;
}

/** The limits unless configured otherwise. */
export const defaultLimits: Limits = {
  identifierBytes: 512,
  payloadBytes: 8 * mebibyte,
  messageBytes: 16 * mebibyte,
  textBytes: 64 * 1024,
  requestIdBytes: 128,
  openEffects: 1000,
  unfiredTimers: 1000,
  labels: 256,
  pageSize: 1000,
};
