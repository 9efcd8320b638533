import type { EffectRecord } from "../../../src/model/effect.ts";
import type { ObligationRecord } from "../../../src/model/obligation.ts";
import type { Promises } from "./promises.ts";

/** At rest an effect is told as the journal has it (R26, R27). */
export function mustTellEffect(promises: Promises, told: EffectRecord | undefined, runId: string, key: string): void {
  const { effects, compactedSeq } = promises.run(runId);
  const known = effects.get(key);
  const isGone = compactedSeq > 0 && told?.responseJson === "";
  promises.must(
    told?.status === known?.status &&
      told?.dispatchAttempts === known?.attempts &&
      told?.externalRef === known?.externalRef &&
      (isGone || told?.responseJson === known?.response),
    "row-equals-memory",
    () => `effect ${key} of ${runId} is told as ${JSON.stringify(told)}, the journal has ${JSON.stringify(known)}`,
  );
}

/** At rest the obligations of a run are told as the journal has them, newest first, also when payloads are gone (R33, R75). */
export function mustTellObligations(promises: Promises, told: readonly ObligationRecord[], runId: string): void {
  const known = [...promises.run(runId).obligations.values()].toReversed();
  const isRight = known.every(({ seq, status, attempts, maxAttempts }, i) => {
    const one = told[i];
    return one?.seq === seq && one.status === status && one.attempts === attempts && one.maxAttempts === maxAttempts;
  });
  promises.must(
    isRight && told.length === known.length,
    "row-equals-memory",
    () => `the obligations of ${runId} are told as ${JSON.stringify(told)}, the journal has ${JSON.stringify(known)}`,
  );
}
