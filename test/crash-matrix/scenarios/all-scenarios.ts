import { busScenarios } from "./bus-scenarios.ts";
import { effectScenarios } from "./effect-scenarios.ts";
import { recordScenarios } from "./record-scenarios.ts";
import { runScenarios } from "./run-scenarios.ts";
import type { Scenario, TapeRpcName } from "./scenario.ts";

/** Every mutating call, in every way of its own in which it appends. */
export const allScenarios: readonly Scenario[] = [
  ...runScenarios,
  ...effectScenarios,
  ...busScenarios,
  ...recordScenarios,
];

/** Calls that write nothing which anybody was told of; every other one needs a scenario. */
export const readOnlyRpcs: ReadonlySet<TapeRpcName> = new Set([
  "getRun",
  "listRunsToRecover",
  "subscribeRun",
  "getDecision",
  "getEffect",
  "listEffectsToDispatch",
  "listObligations",
  "listUnresolvedObligations",
  "admitBudget",
  "listPendingEffects",
  "listCompactableRuns",
  "subscribeEvents",
  "subscribeBySubject",
  "listReactions",
  "listTasks",
  "getValue",
  "watchValue",
  "getSession",
  "listSessions",
]);
