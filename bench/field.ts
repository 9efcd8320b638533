import type { Contender } from "./contender.ts";

/** All that is measured on one kind of store, and how it is compared. */
export interface Field {
  /** What the figures depend on, a line each. */
  readonly setting: readonly string[];
  readonly contenders: readonly Contender[];
  readonly ratios: readonly Ratio[];
  /** Said below the table. */
  readonly notes: string;
  /** After the contenders were closed. */
  close(): Promise<void>;
}

/** A column that compares commits with those of a contender. */
export interface Ratio {
  readonly title: string;
  readonly contender: string;
  /** What the other is compared at; absent: at the same. */
  readonly concurrency?: number;
  readonly form: "percent" | "times";
}
