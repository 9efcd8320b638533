import { TapeError } from "../src/errors.ts";
import type { CallOptions } from "../src/model/call.ts";
import type { Tape } from "../src/model/tape.ts";

/** A Tape that breaks one rule, and the case of the suite that must not pass on it. */
export interface BrokenTape {
  /** What it does wrong. */
  readonly wrong: string;
  /** The whole title of the case: rule and name. */
  readonly caughtBy: string;
  /** Wraps a good one. */
  readonly breaks: (good: Tape) => Tape;
}

type AnyCall = (request: unknown, options?: CallOptions) => unknown;

/** The good tape with some calls replaced. */
function but(good: Tape, calls: Partial<Tape>): Tape {
  return { ...good, ...calls };
}

/** The good tape with every call changed. */
function changed(good: Tape, change: (call: AnyCall) => AnyCall): Tape {
  const calls = Object.entries(good).map(([name, call]) => [name, change(call as AnyCall)]);
  return Object.fromEntries(calls) as Tape;
}

/** The good tape whose calls are all sent with other options. */
function withOptions(change: (options: CallOptions) => CallOptions): BrokenTape["breaks"] {
  return (good) => changed(good, (call) => (request, options = {}) => call(request, change(options)));
}

/** The good tape whose failures look otherwise. */
function withErrors(change: (error: TapeError) => Error): BrokenTape["breaks"] {
  return (good) =>
    changed(good, (call) => (request, options) => {
      const answer = call(request, options);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => {
        throw error instanceof TapeError ? change(error) : error;
      });
    });
}

async function* every<T>(items: AsyncIterable<T>, keep: (index: number) => number): AsyncGenerator<T> {
  let index = 0;
  for await (const item of items) {
    for (let copy = keep(index); copy > 0; copy -= 1) yield item;
    index += 1;
  }
}

const withoutSkipping = (index: number): number => (index % 4 === 3 ? 0 : 1);

/** Tapes that break one rule each. */
export const brokenTapes: readonly BrokenTape[] = [
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
        setBudget: async (request, options) => ({ ...(await good.setBudget(request, options)), usdSpent: 0, tokensSpent: 0 }),
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
        chargeBudget: (request, options) => good.chargeBudget({ ...request, usd: Math.max(0, request.usd ?? 0) }, options),
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
    caughtBy: "R21 NON_IDEMPOTENT needs a scope that the run was granted; the first denial of a tool and scope is one entry",
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
          const all = due === undefined ? [] : (await good.listObligations({ runId: due.runId, onlyUnresolved: true })).obligations;
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
    wrong: "payloads are parsed and printed",
    caughtBy: "R7 payloads come back byte for byte",
    breaks: (good) =>
      but(good, {
        recordDecision: (request, options) =>
          good.recordDecision({ ...request, requestJson: JSON.stringify(JSON.parse(request.requestJson ?? '""')) }, options),
      }),
  },
  {
    wrong: "what is no JSON is quoted and taken",
    caughtBy: "R7 SendSignal.resolution_json must be JSON",
    breaks: (good) =>
      but(good, {
        sendSignal: (request, options) =>
          good.sendSignal({ ...request, resolutionJson: JSON.stringify(request.resolutionJson) }, options),
      }),
  },
  {
    wrong: "names are trimmed",
    caughtBy: "R7 values are told apart by every character of namespace and key",
    breaks: (good) =>
      but(good, {
        writeValue: (request, options) =>
          good.writeValue({ ...request, key: request.key.trim(), namespace: request.namespace.trim() }, options),
      }),
  },
  {
    wrong: "names are normalised",
    caughtBy: "R7 runs are told apart by every character of every part of their identity",
    breaks: (good) =>
      but(good, {
        beginRun: (request, options) => good.beginRun({ ...request, invocationId: request.invocationId.normalize() }, options),
      }),
  },
  {
    wrong: "pages have no end",
    caughtBy: "R7 pages hold what is asked, 100 unless asked, at most 1,000",
    breaks: (good) =>
      but(good, {
        listEffectsToDispatch: (request, options) => good.listEffectsToDispatch({ ...request, limit: 1000 }, options),
      }),
  },
  {
    wrong: "a version of a value is used again after a delete",
    caughtBy: "R60 versions rise by 1 with every write and delete, and are never used again",
    breaks: (good) => {
      let deleted = 0;
      return but(good, {
        deleteValue: async (request, options) => {
          const answer = await good.deleteValue(request, options);
          deleted = answer.version;
          return answer;
        },
        writeValue: async (request, options) => {
          const value = await good.writeValue(request, options);
          return { ...value, version: value.version - deleted };
        },
      });
    },
  },
  {
    wrong: "a watcher is told every change but some",
    caughtBy: "R61 a watcher of fast writers is told every version in order",
    breaks: (good) =>
      but(good, {
        watchValue: (request, options) => every(good.watchValue(request, options), withoutSkipping),
      }),
  },
  {
    wrong: "the feed skips an entry now and then",
    caughtBy: "R50 skips nothing and repeats nothing while several engines commit",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) => every(good.subscribeEvents(request, options), withoutSkipping),
      }),
  },
  {
    wrong: "the feed gives an entry twice now and then",
    caughtBy: "R50 delivers every committed entry once, in rising order, and as the run's own journal has it",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) => every(good.subscribeEvents(request, options), (index) => (index === 5 ? 2 : 1)),
      }),
  },
  {
    wrong: "a cursor is inclusive",
    caughtBy: "R50 a cursor is exclusive and goes on exactly where it stood, after reopening and on another engine",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) =>
          good.subscribeEvents({ ...request, fromGlobalSeq: Math.max(0, (request.fromGlobalSeq ?? 0) - 1) }, options),
      }),
  },
  {
    wrong: "filters by kind are ignored",
    caughtBy: "R51 filters by run, kind, time and subject, alone and together",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) => good.subscribeEvents({ ...request, kind: "" }, options),
      }),
  },
  {
    wrong: "a stream of a run that nobody began ends as if it had nothing to say",
    caughtBy: "R14 a run that nobody began is RUN_NOT_FOUND, at any from_seq",
    breaks: (good) =>
      but(good, {
        subscribeRun: async function* (request, options) {
          try {
            yield* good.subscribeRun(request, options);
          } catch (error) {
            if (!(error instanceof TapeError) || error.reason !== "RUN_NOT_FOUND") throw error;
          }
        },
      }),
  },
  {
    wrong: "from_seq is exclusive",
    caughtBy: "R14 gives every entry from from_seq on, in order, and ends when the run has ended",
    breaks: (good) =>
      but(good, {
        subscribeRun: (request, options) =>
          good.subscribeRun({ ...request, fromSeq: (request.fromSeq ?? 0) > 1 ? (request.fromSeq ?? 0) + 1 : 0 }, options),
      }),
  },
  {
    wrong: "an event sent again is another event",
    caughtBy: "R65 the same event sent at the same time is appended once",
    breaks: (good) => {
      let count = 0;
      return but(good, {
        appendEvent: (request, options) => {
          count += 1;
          return good.appendEvent({ ...request, event: { ...request.event, id: `${request.event.id}${count}` } }, options);
        },
      });
    },
  },
  {
    wrong: "the first events are given instead of the latest",
    caughtBy: "R66 reading gives all events, or the latest n in order",
    breaks: (good) =>
      but(good, {
        getSession: async (request, options) => {
          const { found, session } = await good.getSession({ ...request, maxEvents: 0 }, options);
          if (session === undefined) return { found };
          return { found, session: { ...session, events: session.events.slice(0, request.maxEvents || undefined) } };
        },
      }),
  },
  {
    wrong: "an existing session is returned whatever the request brings",
    caughtBy: "R66 an existing session is returned as it is, but not when the request brings state",
    breaks: (good) =>
      but(good, {
        createSession: async (request, options) => {
          const { session } = await good.getSession({ ...request, sessionId: request.sessionId ?? "" });
          return session ?? good.createSession(request, options);
        },
      }),
  },
  {
    wrong: "calls that are not there yet answer with nothing",
    caughtBy: "R9 calls of a later release say that they are not there yet",
    breaks: (good) => but(good, { listTasks: async () => ({ tasks: [] }) }),
  },
];
