import { metadataCases } from "./metadata.ts";
import { durableCases } from "./r01-durable.ts";
import { idempotentCases } from "./r03-idempotent.ts";
import { outcomeCases } from "./r04-outcomes.ts";
import { concurrencyCases } from "./r06-concurrency.ts";
import { characterCases } from "./r07-characters.ts";
import { limitCases } from "./r07-limits.ts";
import { timeCases } from "./r08-time.ts";
import { errorCases } from "./r09-errors.ts";
import { leaseCases } from "./r10-leases.ts";
import { runTableCases } from "./r10-run-table.ts";
import { subscribeRunCases } from "./r14-subscribe-run.ts";
import { decisionCases } from "./r15-decisions.ts";
import { effectCases } from "./r20-effects.ts";
import { settlingCases } from "./r23-settling.ts";
import { dispatchCases } from "./r24-dispatch.ts";
import { observationCases } from "./r27-observation.ts";
import { obligationCases } from "./r30-obligations.ts";
import { budgetCases } from "./r35-budget.ts";
import { gateCases } from "./r40-gates.ts";
import { timerCases } from "./r45-timers.ts";
import { feedCases } from "./r50-feed.ts";
import { subjectCases } from "./r52-subjects.ts";
import { valueCases } from "./r60-values.ts";
import { sessionCases } from "./r65-sessions.ts";
import { handlerCases } from "./r70-handlers.ts";
import { reactionCases } from "./r70-reactions.ts";
import { taskCases } from "./r71-tasks.ts";
import { runListCases } from "./r80-run-lists.ts";
import { inspectCases } from "./r82-inspect.ts";
import { compactionCases } from "./r75-compaction.ts";
import { randomCases } from "./random-cases.ts";
import type { TapeCase } from "./tape-case.ts";

/** Every case of the suite, in the order of the rules. */
export const tapeCases: readonly TapeCase[] = [
  ...durableCases,
  ...idempotentCases,
  ...outcomeCases,
  ...concurrencyCases,
  ...limitCases,
  ...characterCases,
  ...timeCases,
  ...errorCases,
  ...metadataCases,
  ...runTableCases,
  ...leaseCases,
  ...subscribeRunCases,
  ...decisionCases,
  ...effectCases,
  ...settlingCases,
  ...dispatchCases,
  ...observationCases,
  ...obligationCases,
  ...budgetCases,
  ...gateCases,
  ...timerCases,
  ...feedCases,
  ...subjectCases,
  ...valueCases,
  ...sessionCases,
  ...reactionCases,
  ...handlerCases,
  ...taskCases,
  ...runListCases,
  ...inspectCases,
  ...compactionCases,
  ...randomCases,
];
