import type { Answer, Input } from "../history.ts";
import type { RunInput } from "../models/run-state.ts";
import { atOnce, followedBy, inTurn, type KnownHistory } from "./in-turn.ts";
import { began, begin, resume, resumed } from "./leases.ts";

const wait = (occurrence: number): RunInput => ({ call: "await", gate: "g", occurrence });
const send = (resolution: string, requestId?: string): RunInput => ({
  call: "send",
  gate: "g",
  resolution,
  ...(requestId === undefined ? {} : { requestId }),
});
const waits: Answer = { delivered: false, resolution: "" };
const delivered = (resolution: string): Answer => ({ delivered: true, resolution });
const taken = (status: string): Answer => ({ accepted: true, status });

/** Of a run's gates. */
export const gates: readonly Omit<KnownHistory, "kind">[] = [
  {
    name: "a gate is waited for, answered, and gives its answer for ever",
    isPossible: true,
    operations: inTurn(
      [begin("a"), began(1, false)],
      [wait(1), waits],
      [send("yes"), taken("RUNNABLE")],
      [send("no"), { accepted: false, status: "RUNNABLE" }],
      [wait(1), delivered("yes")],
    ),
  },
  {
    name: "a gate resolved twice differently",
    isPossible: false,
    operations: followedBy(
      inTurn([begin("a"), began(1, false)]),
      followedBy(
        atOnce([send("yes"), taken("RUNNING")], [send("no"), { accepted: false, status: "RUNNING" }]),
        inTurn([wait(1), delivered("yes")], [wait(1), delivered("no")]),
      ),
    ),
  },
  {
    name: "two signals that both answered one wait",
    isPossible: false,
    operations: followedBy(
      inTurn([begin("a"), began(1, false)], [wait(1), waits]),
      atOnce([send("yes"), taken("RUNNABLE")], [send("no"), taken("RUNNABLE")]),
    ),
  },
  {
    name: "a signal lost because it came before the wait",
    isPossible: false,
    operations: inTurn([begin("a"), began(1, false)], [send("yes"), taken("RUNNING")], [wait(1), waits]),
  },
  {
    name: "a signal lost because it came at the same time as the wait",
    isPossible: false,
    operations: followedBy(
      inTurn([begin("a"), began(1, false)]),
      followedBy(
        atOnce<Input>([wait(1), waits], [send("yes"), taken("RUNNING")]),
        inTurn<Input>([{ call: "getRun" }, { status: "WAITING", gate: "g", owner: "", expiresAtMs: 0 }]),
      ),
    ),
  },
  {
    name: "a signal that answers two waits because it was sent twice",
    isPossible: false,
    operations: inTurn(
      [begin("a"), began(1, false)],
      [wait(1), waits],
      [send("yes", "r"), null],
      [send("yes", "r"), taken("RUNNABLE")],
      [resume("a"), resumed("a", 2)],
      [wait(2), waits],
      [wait(2), delivered("yes")],
    ),
  },
];
