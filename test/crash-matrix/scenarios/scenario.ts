import type { RowId } from "../../../src/model/row.ts";
import type { CallOptions } from "../../../src/model/call.ts";
import type { Tape } from "../../../src/model/tape.ts";
import type { InspectRpcName, RpcName } from "../../../src/rpc/rpc-methods.ts";
import type { Facts } from "./facts.ts";

/** The name of a method of `tape.v1.Tape`. */
export type TapeRpcName = Exclude<RpcName, InspectRpcName>;

/** A call that is ready to be sent, and what can be read about what it writes. */
export interface Prepared {
  /** Rows that the call appends to. */
  readonly rows: readonly RowId[];
  /** Sends the call; may be sent again with the same request id. */
  readonly call: (tape: Tape, options: CallOptions) => Promise<unknown>;
  /** Another client's call on the same row at the same time, which may likewise be sent again. */
  readonly neighbour?: ((tape: Tape, options: CallOptions) => Promise<unknown>) | undefined;
  readonly facts: (tape: Tape) => Promise<Facts>;
}

/** One mutating call with the state that it needs. */
export interface Scenario {
  /** In the table: the call, and what is special about this one. */
  readonly name: string;
  readonly rpc: TapeRpcName;
  /**
   * Whether the answer to a call that is sent again is that of the first one. Some calls say truthfully that there is
   * nothing left to do (R46, R75).
   */
  readonly answersAgain: boolean;
  /**
   * Brings a new thing into the state in which the call does something.
   * @param name One that nothing else has; letters, digits and `-`.
   * @param turn Rises in the order in which the calls will be sent.
   */
  readonly prepare: (tape: Tape, name: string, turn: number) => Promise<Prepared>;
}

/** A scenario, with what most of them have. */
export const scenario = (
  name: string,
  rpc: TapeRpcName,
  prepare: Scenario["prepare"],
  { answersAgain = true }: { readonly answersAgain?: boolean } = {},
): Scenario => ({ name, rpc, answersAgain, prepare });
