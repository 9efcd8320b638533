import type { Answer } from "../history.ts";
import type { RunInput } from "../models/run-state.ts";
import { atOnce, type Called, followedBy, inTurn, type KnownHistory } from "./in-turn.ts";
import { began, begin } from "./leases.ts";

const intend = (idempotent: boolean): RunInput => ({ call: "intend", effect: "e", idempotent });
const claim = (claimer: string): RunInput => ({ call: "claim", effect: "e", claimer, ttlMs: 1000 });
const stand = (status: string, more: Answer = {}): Answer => ({
  status,
  claimer: "",
  expiresAtMs: 0,
  attempts: 0,
  error: "",
  response: "",
  ...more,
});
const won = (claimer: string, expiresAtMs: number, more: Answer = {}): Answer =>
  stand("PENDING", { acquired: true, claimer, expiresAtMs, ...more });
const attempt = (claimer: string, requestId?: string): RunInput => ({
  call: "attempt",
  effect: "e",
  claimer,
  error: "x",
  inDoubt: false,
  ...(requestId === undefined ? {} : { requestId }),
});
const complete = (status: "CONFIRMED" | "FAILED", response: string): RunInput => ({
  call: "complete",
  effect: "e",
  status,
  response,
});
const prepared = (idempotent: boolean): readonly Called<RunInput>[] => [
  [begin("a"), began(1, false)],
  [intend(idempotent), { status: "PENDING", response: "" }],
];

/** Of claims on a run's effects. */
export const claims: readonly Omit<KnownHistory, "kind">[] = [
  {
    name: "a claim is won, lost, given back and won by the other",
    isPossible: true,
    operations: inTurn(
      ...prepared(true),
      [claim("x"), won("x", 1000), 0],
      [claim("y"), stand("PENDING", { acquired: false, claimer: "x", expiresAtMs: 1000 }), 10],
      [attempt("x"), stand("PENDING", { attempts: 1, error: "x" }), 20],
      [claim("y"), won("y", 1030, { attempts: 1, error: "x" }), 30],
    ),
  },
  {
    name: "a claim given to two",
    isPossible: false,
    operations: followedBy(
      inTurn(...prepared(true)),
      atOnce([claim("x"), won("x", 1000), 0], [claim("y"), won("y", 1000), 0]),
    ),
  },
  {
    name: "a claim taken over when it has expired",
    isPossible: true,
    operations: inTurn(...prepared(true), [claim("x"), won("x", 1000), 0], [claim("y"), won("y", 2000), 1000]),
  },
  {
    name: "an act that is not to be repeated claimed again after its claim has expired",
    isPossible: false,
    operations: inTurn(...prepared(false), [claim("x"), won("x", 1000), 0], [claim("y"), won("y", 2000), 1000]),
  },
  {
    name: "an act that is not to be repeated still PENDING after its claim has expired",
    isPossible: false,
    operations: inTurn(
      ...prepared(false),
      [claim("x"), won("x", 1000), 0],
      [{ call: "getEffect", effect: "e" }, { found: true, ...stand("PENDING") }, 1500],
    ),
  },
  {
    name: "an attempt by one who does not hold the claim",
    isPossible: false,
    operations: inTurn(
      ...prepared(true),
      [claim("x"), won("x", 1000), 0],
      [attempt("y"), stand("PENDING", { attempts: 1, error: "x" }), 10],
    ),
  },
  {
    name: "an attempt that counts twice because it was sent twice",
    isPossible: false,
    operations: inTurn(
      ...prepared(true),
      [claim("x"), won("x", 1000), 0],
      [attempt("x", "r"), null, 10],
      [attempt("x", "r"), stand("PENDING", { attempts: 2, error: "x" }), 20],
    ),
  },
  {
    name: "an outcome that is replaced",
    isPossible: false,
    operations: inTurn(
      ...prepared(true),
      [complete("CONFIRMED", "done"), stand("CONFIRMED", { response: "done" })],
      [complete("FAILED", "no"), stand("FAILED", { response: "no" })],
    ),
  },
];
