/** One version of a value. */
export interface ValueRecord {
  readonly namespace: string;
  readonly key: string;
  readonly valueJson: string;
  readonly version: number;
  /** Server's clock, milliseconds since 1970. */
  readonly tsMs: number;
  readonly writer: string;
  readonly deleted: boolean;
}

/** Writes a value, perhaps only if it is at a version (R60). */
export interface WriteValueRequest {
  readonly namespace: string;
  readonly key: string;
  readonly valueJson: string;
  /** Negative: no condition; 0: must be absent or deleted; n: must be at n. */
  readonly ifVersion?: number | undefined;
  readonly writer?: string | undefined;
}

/** Asks for a value. */
export interface GetValueRequest {
  readonly namespace: string;
  readonly key: string;
}

/** The value, if there is one. */
export interface GetValueResponse {
  readonly found: boolean;
  readonly value?: ValueRecord | undefined;
}

/** Follows one value (R61). */
export interface WatchValueRequest {
  readonly namespace: string;
  readonly key: string;
  /** 0: the current value first; n: every version after n. */
  readonly fromVersion?: number | undefined;
}

/** One change of a value, with what was there before. */
export interface ValueEvent {
  readonly value: ValueRecord;
  readonly prevVersion: number;
  readonly prevValueJson: string;
}

/** Deletes a value; its versions go on (R60). */
export interface DeleteValueRequest {
  readonly namespace: string;
  readonly key: string;
}

/** Whether there was a value, and the version of the deletion. */
export interface DeleteValueResponse {
  readonly deleted: boolean;
  readonly version: number;
}
