import type { EffectSemantics } from "../../../src/model/effect.ts";
import { grantedScope } from "../audit/run-rules.ts";
import type { Random } from "../../../src/testing/random.ts";

/** How a gate gets its answer; `twice`: the agent waits there a second time, too. */
const answers = ["signal", "two-signals", "session-signal", "timeout", "timeout", "twice"] as const;

/** What becomes of a timer that an agent sets; the first two are kinds of their own. */
const timers = ["redrive", "remind", "moved", "cancelled"] as const;

/** One thing that an agent does in a run. */
export type ScriptStep =
  | { readonly kind: "decide" }
  | { readonly kind: "inline"; readonly promised: boolean }
  | {
      readonly kind: "outbox";
      readonly semantics: EffectSemantics;
      readonly connector: string;
      readonly businessKey: string;
      readonly scope: string;
      readonly promised: boolean;
      /** The agent goes on only when it knows what became of it. */
      readonly awaited: boolean;
    }
  | { readonly kind: "charge"; readonly known: boolean }
  | { readonly kind: "gate"; readonly answeredBy: (typeof answers)[number] }
  | { readonly kind: "timer"; readonly timer: (typeof timers)[number] };

/** How a run is meant to end. */
type Ending = "TERMINAL" | "FAILED" | "COMPENSATING" | "CANCELLED";

/** What the agents of one run do, whoever of them it is, however often they begin again. */
export interface Script {
  /** Number of the run. */
  readonly number: number;
  readonly steps: readonly ScriptStep[];
  readonly ending: Ending;
}

const longest = 9;

/** What the scripts of one world are made of: worlds that have less of everything have more of something. */
export interface Theme {
  readonly kinds: readonly ScriptStep["kind"][];
  /** How many business keys there are; runs fight over them. */
  readonly keys: number;
  /** How often an effect has one, as a probability. */
  readonly keyed: number;
}

const kinds = ["decide", "inline", "outbox", "outbox", "charge", "charge", "gate", "timer"] as const;

/** A theme of a seed. */
export function randomTheme(random: Random): Theme {
  const isMixed = random.chance(0.5);
  return {
    kinds: isMixed ? kinds : random.shuffle(kinds).slice(0, 1 + random.int(3)),
    keys: 1 + random.int(longest),
    keyed: random.pick([0.3, 0.6, 1]),
  };
}

/** A script of a seed. */
export function randomScript(number: number, theme: Theme, random: Random): Script {
  const steps = Array.from({ length: 2 + random.int(longest - 1) }, (_, i) => randomScriptStep(i, theme, random));
  const ending = random.pick(["TERMINAL", "TERMINAL", "COMPENSATING", "COMPENSATING", "FAILED", "CANCELLED"] as const);
  return { number, steps, ending };
}

function randomScriptStep(i: number, theme: Theme, random: Random): ScriptStep {
  const kind = random.pick(theme.kinds);
  switch (kind) {
    case "inline":
      return { kind, promised: random.chance(0.5) };
    case "outbox": {
      // Runs come to the same key at about the same time.
      const businessKey = random.chance(theme.keyed) ? `order-${i % theme.keys}` : "";
      return {
        kind,
        semantics: random.pick(["IDEMPOTENT", "NON_IDEMPOTENT", "NON_IDEMPOTENT", "OBSERVE_ONLY"] as const),
        connector: businessKey === "" ? random.pick(["bank", "mail"]) : "bank",
        businessKey,
        scope: random.chance(0.9) ? grantedScope : "refund",
        promised: random.chance(0.6),
        awaited: random.chance(0.6),
      };
    }
    case "charge":
      return { kind, known: random.chance(0.7) };
    case "gate":
      return { kind, answeredBy: random.pick(answers) };
    case "timer":
      return { kind, timer: random.pick(timers) };
    default:
      return { kind };
  }
}

/** Who a run is for: every run has a session of its own, so that a signal to the session means one run. */
export const appOf = "shop";
/** The user of every run. */
export const userOf = "ada";
/** The session of a run. */
export const sessionOf = (number: number): string => `s${number}`;
/** The gate that step `i` waits at. */
export const gateOf = (i: number): string => `gate-${i}`;
