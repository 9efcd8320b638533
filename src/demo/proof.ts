import { dollars } from "./bank.ts";
import type { Evidence } from "./evidence.ts";
import { script } from "./scripted-model.ts";

/** One thing that must be true, and whether it is. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean;
  /** What was found. */
  readonly found: string;
}

/** Everything the demo promises, checked against what the bank, the model and the tape say. */
export function prove(evidence: Evidence): readonly Check[] {
  return [
    booked(evidence, "sweep", 0),
    booked(evidence, "wire", 1),
    nothingAskedAgain(evidence),
    budgetExact(evidence),
    allSettled(evidence),
  ];
}

function booked({ ledger }: Evidence, kind: "sweep" | "wire", index: 0 | 1): Check {
  const { cents, account } = script[index].answer;
  const found = ledger.filter((booking) => booking.kind === kind);
  const [only] = found;
  return {
    claim: `one ${kind} of ${dollars(cents)} to ${account} in the bank's ledger`,
    holds: found.length === 1 && only?.cents === cents && only.account === account,
    found: found.map((booking) => `${booking.ref} ${dollars(booking.cents)}`).join(", ") || "none",
  };
}

/** An answer on record is the last that was ever given to that question. */
function nothingAskedAgain({ modelCalls, answers }: Evidence): Check {
  const asked = script.map((_, index) => modelCalls.filter((one) => one.index === index).map((one) => one.call));
  return {
    claim: `${script.length} decisions recorded, no recorded model call made again`,
    holds: answers.size === script.length && asked.every((calls, index) => calls.at(-1) === answers.get(index)?.call),
    found: `${modelCalls.length} model calls, on record ${[...answers.values()].map((one) => `#${one.call}`).join(" ")}`,
  };
}

function budgetExact({ charges, microUsdSpent, tokensSpent }: Evidence): Check {
  const microUsd = script.reduce((sum, { usd }) => sum + Math.round(usd * 1e6), 0);
  const tokens = script.reduce((sum, line) => sum + line.tokens, 0);
  return {
    claim: `budget exact: ${microUsd / 1e6} USD and ${tokens} tokens in ${script.length} charges`,
    holds: charges === script.length && microUsdSpent === microUsd && tokensSpent === tokens,
    found: `${microUsdSpent / 1e6} USD and ${tokensSpent} tokens in ${charges} charges`,
  };
}

/** A wire that surely was not made is FAILED and ordered anew; every other effect is CONFIRMED. */
function allSettled({ runStatus, effects }: Evidence): Check {
  const all = [...effects.values()];
  const confirmed = (tool: string): number =>
    all.filter((effect) => effect.tool === tool && effect.status === "CONFIRMED").length;
  const open = all.filter(({ status }) => status !== "CONFIRMED" && status !== "FAILED");
  return {
    claim: "the run is TERMINAL, one sweep and one wire CONFIRMED, nothing UNKNOWN",
    holds: runStatus === "TERMINAL" && confirmed("sweep") === 1 && confirmed("wire") === 1 && open.length === 0,
    found: `run ${runStatus}, ${all.map((effect) => `${effect.tool} ${effect.status}`).join(", ")}`,
  };
}
