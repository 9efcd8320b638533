/* Everything that the calls of `Tape` take, give and fail with. */

export { TapeError, type TapeErrorCode, type TapeErrorOptions, type TapeErrorReason } from "../errors.ts";
export type * from "../model/budget.ts";
export type * from "../model/call.ts";
export type * from "../model/decision.ts";
export type * from "../model/effect.ts";
export type * from "../model/feed.ts";
export type * from "../model/gate.ts";
export type * from "../model/inspect.ts";
export type * from "../model/obligation.ts";
export type * from "../model/reaction.ts";
export type * from "../model/run.ts";
export type * from "../model/session.ts";
export type * from "../model/tape.ts";
export type * from "../model/timer.ts";
export type * from "../model/value.ts";
