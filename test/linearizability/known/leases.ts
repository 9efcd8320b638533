import type { Answer } from "../history.ts";
import type { RunInput } from "../models/run-state.ts";
import { atOnce, inTurn, type KnownHistory } from "./in-turn.ts";

/** BeginRun for a second. */
export const begin = (owner: string): RunInput => ({ call: "begin", owner, ttlMs: 1000 });
/** ResumeRun for a second. */
export const resume = (owner: string): RunInput => ({ call: "resume", owner, ttlMs: 1000 });
/** The answer to BeginRun. */
export const began = (epoch: number, existed: boolean): Answer => ({ status: "RUNNING", epoch, existed });
/** The answer to ResumeRun. */
export const resumed = (owner: string, epoch: number): Answer => ({ status: "RUNNING", epoch, owner, gate: "" });
const held = (holder: string, expiresAtMs: number): Answer => ({ refused: "LEASE_HELD", holder, expiresAtMs });
const decide = (response: string, epoch: number): RunInput => ({ call: "decide", index: 0, response, epoch });

/** Of a run's lease. */
export const leases: readonly Omit<KnownHistory, "kind">[] = [
  {
    name: "a lease is refused, renewed, and taken over when it has expired",
    isPossible: true,
    operations: inTurn(
      [begin("a"), began(1, false), 0],
      [resume("b"), held("a", 1000), 500],
      [resume("a"), resumed("a", 1), 900],
      [resume("b"), resumed("b", 2), 1900],
      [decide("x", 1), { refused: "EPOCH_STALE", epoch: 2, holder: "b" }, 1950],
    ),
  },
  {
    name: "two owners of one lease in one epoch",
    isPossible: false,
    operations: atOnce([begin("a"), began(1, false)], [begin("b"), began(1, false)]),
  },
  {
    name: "a takeover before the lease has expired",
    isPossible: false,
    operations: inTurn([begin("a"), began(1, false), 0], [resume("b"), resumed("b", 2), 990]),
  },
  {
    name: "a takeover that may have been before the lease expired, or after",
    isPossible: true,
    operations: inTurn([begin("a"), began(1, false), 0, 20], [resume("b"), resumed("b", 2), 990, 1010]),
  },
  {
    name: "a takeover in the old epoch",
    isPossible: false,
    operations: inTurn([begin("a"), began(1, false), 0], [resume("b"), resumed("b", 1), 2000]),
  },
  {
    name: "a lease that is held for ever",
    isPossible: false,
    operations: inTurn([begin("a"), began(1, false), 0], [resume("b"), held("a", 1000), 1500]),
  },
  {
    name: "a lease that was renewed by a call of unknown outcome",
    isPossible: true,
    operations: inTurn(
      [begin("a"), began(1, false), 0],
      [resume("a"), null, 700],
      [resume("b"), held("a", 1800), 1500],
    ),
  },
  {
    name: "a renewal that counts twice",
    isPossible: false,
    operations: inTurn(
      [begin("a"), began(1, false), 0],
      [resume("a"), null, 500, 900],
      [resume("b"), held("a", 1600), 700],
      [resume("b"), held("a", 1700), 800],
    ),
  },
  {
    name: "a write by an owner that was replaced",
    isPossible: false,
    operations: inTurn(
      [begin("a"), began(1, false), 0],
      [resume("b"), resumed("b", 2), 1500],
      [decide("x", 1), { response: "x", seq: 2 }, 1600],
    ),
  },
  {
    name: "a decision that is replaced",
    isPossible: false,
    operations: inTurn(
      [begin("a"), began(1, false)],
      [decide("x", 1), { response: "x", seq: 2 }],
      [decide("y", 1), { response: "y", seq: 3 }],
    ),
  },
  {
    name: "a run that goes on after its end",
    isPossible: false,
    operations: inTurn(
      [begin("a"), began(1, false)],
      [{ call: "cancel" }, { status: "CANCELLED", seq: 2 }],
      [resume("a"), resumed("a", 2)],
    ),
  },
];
