/** A bug to be planted: a piece of one source file that is replaced by another. */
export interface Mutant {
  readonly name: string;
  /** What is wrong, for people. */
  readonly bug: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}
