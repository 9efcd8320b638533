import { TapeError } from "../../src/errors.ts";
import { but, withErrors, withOptions, type BrokenTape } from "./broken-tape.ts";

/** Tapes that break a rule of runs and what happens in them. */
export const brokenRuns: readonly BrokenTape[] = [
  {
    wrong: "fencing is ignored",
    caughtBy: "Metadata RecordDecision with an epoch older than the run's is refused and writes nothing",
    breaks: withOptions((options) => ({ ...options, leaseEpoch: undefined })),
  },
  {
    wrong: "request ids are ignored",
    caughtBy: "R3 ChargeBudget sent again gives the recorded answer and writes nothing",
    breaks: withOptions((options) => ({ ...options, requestId: undefined })),
  },
  {
    wrong: "a strict caller is treated as any other",
    caughtBy: "R15 a repeat with another model gives the record and says that it diverges; strictly it is refused",
    breaks: withOptions((options) => ({ ...options, strict: false })),
  },
  {
    wrong: "occurrences of a gate are ignored",
    caughtBy: "R40 occurrences of one gate are waits of their own, filled in order",
    breaks: withOptions((options) => ({ ...options, gateOccurrence: 1 })),
  },
  {
    wrong: "anybody may speak for the holder of a claim",
    caughtBy: "Metadata a claimer that does not hold the claim is refused, the holder is not",
    breaks: withOptions((options) => ({ ...options, claimer: undefined })),
  },
  {
    wrong: "traces are dropped",
    caughtBy: "Metadata a trace context is stored on the entries that the call writes",
    breaks: withOptions((options) => ({ ...options, traceparent: undefined })),
  },
  {
    wrong: "errors carry no ids",
    caughtBy: "R9 a lease held by another names the run and the holder",
    breaks: withErrors((error) => new TapeError(error.reason, error.message)),
  },
  {
    wrong: "errors are of a class of their own",
    caughtBy: "R9 EndRun on a run that nobody began is RUN_NOT_FOUND and makes none",
    breaks: withErrors((error) => new Error(error.message)),
  },
  {
    wrong: "every refusal says the same",
    caughtBy: "R9 an obligation that nobody registered is OBLIGATION_NOT_FOUND",
    breaks: withErrors((error) => new TapeError("INTERNAL", error.message, { ids: error.ids })),
  },
  {
    wrong: "a second completion overwrites the first",
    caughtBy: "R4 a late writer of an effect gets the recorded outcome, whoever writes it",
    breaks: (good) =>
      but(good, {
        completeEffect: async (request, options) => ({
          ...(await good.completeEffect(request, options)),
          status: request.status,
          responseJson: request.responseJson ?? "",
        }),
      }),
  },
  {
    wrong: "a late decision replaces the recorded one",
    caughtBy: "R6 of callers that write one decision at once, one is recorded and all get it",
    breaks: (good) =>
      but(good, {
        recordDecision: async (request, options) => ({
          ...(await good.recordDecision(request, options)),
          responseJson: request.responseJson ?? "",
        }),
      }),
  },
  {
    wrong: "a divergence is not told",
    caughtBy: "R20 beginning a recorded key with another toolName says that it diverges; strictly it is refused",
    breaks: (good) =>
      but(good, {
        beginEffect: async (request, options) => ({ ...(await good.beginEffect(request, options)), diverged: false }),
      }),
  },
  {
    wrong: "a repeat of a call writes another entry",
    caughtBy: "R3 BeginEffect sent again gives the recorded answer and writes nothing",
    breaks: (good) =>
      but(good, {
        beginEffect: async (request, options) => {
          const answer = await good.beginEffect(request, options);
          await good.chargeBudget({ runId: request.runId, tokens: 1 });
          return answer;
        },
      }),
  },
  {
    wrong: "a signal sent before the wait is lost",
    caughtBy: "R41 a signal sent before the wait is kept and found, also after reopening",
    breaks: (good) =>
      but(good, {
        sendSignal: async (request, options) => {
          const run = await good.getRun({ runId: request.runId ?? "" });
          if (run.waitingOnGate === request.gateName) return good.sendSignal(request, options);
          return { accepted: true, runId: run.runId, runStatus: run.status };
        },
      }),
  },
  {
    wrong: "setting a budget resets what was spent",
    caughtBy: "R36 setting a budget keeps what was spent, and so does every crash",
    breaks: (good) =>
      but(good, {
        setBudget: async (request, options) => ({
          ...(await good.setBudget(request, options)),
          usdSpent: 0,
          tokensSpent: 0,
        }),
      }),
  },
  {
    wrong: "money is added as floating point",
    caughtBy: "R35 money is added exactly",
    breaks: (good) => {
      let spent = 0;
      return but(good, {
        chargeBudget: async (request, options) => {
          spent += request.usd ?? 0;
          return { ...(await good.chargeBudget(request, options)), usdSpent: spent };
        },
        admitBudget: async (request, options) => {
          const answer = await good.admitBudget(request, options);
          return { ...answer, budget: { ...answer.budget, usdSpent: spent } };
        },
      });
    },
  },
  {
    wrong: "a negative charge is taken for none",
    caughtBy: "R35 amounts that are no money are refused and change nothing",
    breaks: (good) =>
      but(good, {
        chargeBudget: (request, options) =>
          good.chargeBudget({ ...request, usd: Math.max(0, request.usd ?? 0) }, options),
      }),
  },
  {
    wrong: "every claimer is told that it won",
    caughtBy: "R6 of callers that claim one effect at once, one wins",
    breaks: (good) =>
      but(good, {
        claimEffectDispatch: async (request, options) => ({
          ...(await good.claimEffectDispatch(request, options)),
          acquired: true,
        }),
      }),
  },
  {
    wrong: "an effect that may have happened is shown as still to be done",
    caughtBy: "R25 an expired claim of a non-idempotent effect is UNKNOWN from that instant",
    breaks: (good) =>
      but(good, {
        getEffect: async (request, options) => {
          const answer = await good.getEffect(request, options);
          if (answer.effect?.status !== "UNKNOWN") return answer;
          return { found: true, effect: { ...answer.effect, status: "PENDING" } };
        },
      }),
  },
  {
    wrong: "a lease that another holds is given all the same",
    caughtBy: "R13 of callers that resume one run, one wins and the others are told who holds it",
    breaks: (good) =>
      but(good, {
        resumeRun: async (request, options) => {
          try {
            return await good.resumeRun(request, options);
          } catch (error) {
            if (!(error instanceof TapeError) || error.reason !== "LEASE_HELD") throw error;
            return { run: await good.getRun({ runId: request.runId }), leaseEpoch: 1 };
          }
        },
      }),
  },
  {
    wrong: "a run may end well while nobody knows what happened",
    caughtBy: "R11 TERMINAL is refused while an effect is UNKNOWN, naming the keys; other ends are not",
    breaks: (good) =>
      but(good, {
        endRun: async (request, options) => {
          try {
            return await good.endRun(request, options);
          } catch (error) {
            if (!(error instanceof TapeError) || error.reason !== "EFFECTS_UNKNOWN") throw error;
            return { run: { ...(await good.getRun({ runId: request.runId })), status: "TERMINAL" } };
          }
        },
      }),
  },
  {
    wrong: "runs to recover are listed newest first",
    caughtBy: "R13 lists RUNNABLE runs and RUNNING ones whose lease has expired, oldest due first, and no others",
    breaks: (good) =>
      but(good, {
        listRunsToRecover: async (request, options) => ({
          runs: (await good.listRunsToRecover(request, options)).runs.toReversed(),
        }),
      }),
  },
  {
    wrong: "now_ms is ignored",
    caughtBy: "R8 now_ms of a list is its now; absent, 0 or negative it is the server's",
    breaks: (good) =>
      but(good, {
        listDueTimers: (request, options) => good.listDueTimers({ ...request, nowMs: 0 }, options),
      }),
  },
  {
    wrong: "a business key is nobody's",
    caughtBy: "R22 a business key of another run is refused for ever, telling nothing of what that run did",
    breaks: (good) =>
      but(good, {
        beginEffect: (request, options) => good.beginEffect({ ...request, businessKey: "" }, options),
      }),
  },
  {
    wrong: "scopes are not looked at",
    caughtBy:
      "R21 NON_IDEMPOTENT needs a scope that the run was granted; the first denial of a tool and scope is one entry",
    breaks: (good) =>
      but(good, {
        beginEffect: (request, options) => good.beginEffect({ ...request, semantics: "IDEMPOTENT" }, options),
      }),
  },
  {
    wrong: "a duplicate makes no obligation",
    caughtBy: "R27 DUPLICATE makes, in the same commit, an obligation that is due at once",
    breaks: (good) =>
      but(good, {
        recordExternalObservation: (request, options) =>
          good.recordExternalObservation(
            request.resolution === "DUPLICATE" ? { ...request, resolution: "CONFIRMED" } : request,
            options,
          ),
      }),
  },
  {
    wrong: "a run is undone oldest first",
    caughtBy: "R31 a run is undone newest first, one at a time, and is FAILED after the last",
    breaks: (good) =>
      but(good, {
        listUnresolvedObligations: async (request, options) => {
          const { obligations } = await good.listUnresolvedObligations(request, options);
          const [due] = obligations;
          const all =
            due === undefined
              ? []
              : (await good.listObligations({ runId: due.runId, onlyUnresolved: true })).obligations;
          return { obligations: all.slice(-1) };
        },
      }),
  },
  {
    wrong: "obligations are listed oldest first",
    caughtBy: "R33 lists the obligations of a run newest first, all, unresolved, or of one status",
    breaks: (good) =>
      but(good, {
        listObligations: async (request, options) => ({
          obligations: (await good.listObligations(request, options)).obligations.toReversed(),
        }),
      }),
  },
  {
    wrong: "taking a timer leaves it for the next",
    caughtBy: "R46 claiming hands each timer to one caller and says that it fired",
    breaks: (good) =>
      but(good, {
        listDueTimers: async (request, options) => {
          const { timers } = await good.listDueTimers({ ...request, claim: false }, options);
          return { timers: timers.map((timer) => ({ ...timer, fired: true })) };
        },
      }),
  },
  {
    wrong: "compaction only says that payloads are gone",
    caughtBy: "R75 the texts of decisions go, what else is known of them stays",
    breaks: (good) =>
      but(good, {
        compactRun: async () => ({ decisionsZeroed: 1, effectsZeroed: 1, bytesSaved: 1, alreadyCompacted: false }),
      }),
  },
  {
    wrong: "a run is compacted whatever of it is open",
    caughtBy: "R75 a run with an UNKNOWN effect is not compacted before that is reconciled",
    breaks: (good) =>
      but(good, {
        compactRun: async (request, options) => {
          try {
            return await good.compactRun(request, options);
          } catch (error) {
            if (!(error instanceof TapeError) || error.reason !== "EFFECTS_UNKNOWN") throw error;
            return { decisionsZeroed: 0, effectsZeroed: 0, bytesSaved: 0, alreadyCompacted: false };
          }
        },
      }),
  },
  {
    wrong: "runs to compact are listed whenever they ended",
    caughtBy: "R75 runs to compact are listed oldest first, those that ended before a time",
    breaks: (good) =>
      but(good, {
        listCompactableRuns: (request, options) => good.listCompactableRuns({ ...request, beforeMs: 0 }, options),
      }),
  },
  {
    wrong: "compaction does not say that it was done before",
    caughtBy: "R75 it is told what went, and that a repeat finds nothing left",
    breaks: (good) =>
      but(good, {
        compactRun: async (request, options) => ({
          ...(await good.compactRun(request, options)),
          alreadyCompacted: false,
        }),
      }),
  },
  {
    wrong: "what was compacted takes part in the search for divergences",
    caughtBy: "R75 a replay finds its record, and what is gone cannot disagree",
    breaks: (good) =>
      but(good, {
        recordDecision: async (request, options) => {
          const recorded = await good.recordDecision(request, options);
          return { ...recorded, diverged: recorded.responseJson !== request.responseJson };
        },
      }),
  },
];
