import type { Access } from "../../model/access.ts";
import type { Tape } from "../../model/tape.ts";
import type { FakeClock } from "../fake-clock.ts";

/** One journal under test, empty at first, with the clock that it reads. */
export interface TapeHarness {
  readonly tape: Tape;
  readonly clock: FakeClock;
  /**
   * Another engine, server or client on the same store, by number from 1; the same one for the same number.
   * Absent: there is one only, and cases of several callers call that one.
   */
  readonly tapes?: ((n: number) => Promise<Tape>) | undefined;
  /** The same store as another tenant sees it. Absent: the harness knows one tenant, and cases about tenants are skipped. */
  readonly tapeFor?: ((access: Access) => Promise<Tape>) | undefined;
  /**
   * Closes everything that can be closed without losing the store and opens it again; the old `tape` is dead then.
   * Absent: nothing can be reopened, and the case goes on with what is open.
   */
  readonly reopen?: (() => Promise<Tape>) | undefined;
  /** Ends everything, removes what was written. */
  close(): Promise<void>;
}
