import { TapeError } from "../../src/errors.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { GetValueResponse } from "../../src/model/value.ts";
import type { Append, AppendOutcome, CallContext, Store, StoreCapabilities } from "../../src/store/store.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";
import { but } from "../broken-tapes/broken-tape.ts";

/** A bug that is planted, and the kind of object whose histories must show it. */
export interface Mutant {
  readonly wrong: string;
  readonly kind: string;
  readonly wrapTape?: (good: Tape) => Tape;
  readonly wrapStore?: (good: Store) => Store;
}

/** A store that claims to be written by nobody else: the engine then answers from its cache without looking. */
class SelfishStore extends ForwardingStore {
  override get capabilities(): StoreCapabilities {
    return { ...super.capabilities, exclusive: true };
  }
}

/** A store that takes an append whose fate is not known for one that was written. */
class HopefulStore extends ForwardingStore {
  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    const outcomes = await super.appendUntracked(batch, options);
    return outcomes.map((outcome) => (outcome.kind === "unknown" ? { kind: "committed", position: 0 } : outcome));
  }
}

/** Bugs of engines, of stores, and of whatever may stand before them. */
export const mutants: readonly Mutant[] = [
  {
    wrong: "a read is answered from a cache that another server's write does not reach",
    kind: "value",
    wrapTape: (good) => {
      const cache = new Map<string, GetValueResponse>();
      return but(good, {
        getValue: async (request, options) => {
          const known = cache.get(request.key) ?? (await good.getValue(request, options));
          cache.set(request.key, known);
          return known;
        },
        writeValue: async (request, options) => {
          cache.delete(request.key);
          return good.writeValue(request, options);
        },
      });
    },
  },
  { wrong: "the engine thinks that nobody else writes", kind: "value", wrapStore: (good) => new SelfishStore(good) },
  { wrong: "the engine thinks that nobody else writes", kind: "lease", wrapStore: (good) => new SelfishStore(good) },
  { wrong: "a commit of unknown fate is acknowledged", kind: "value", wrapStore: (good) => new HopefulStore(good) },
  {
    wrong: "if_version is forgotten",
    kind: "value",
    wrapTape: (good) =>
      but(good, { writeValue: (request, options) => good.writeValue({ ...request, ifVersion: -1 }, options) }),
  },
  {
    wrong: "a write that is sent again counts again",
    kind: "value",
    wrapTape: (good) =>
      but(good, {
        writeValue: (request, options) => good.writeValue(request, { ...options, requestId: undefined }),
      }),
  },
  {
    wrong: "writes are not fenced",
    kind: "lease",
    wrapTape: (good) =>
      but(good, {
        recordDecision: (request, options) => good.recordDecision(request, { ...options, leaseEpoch: undefined }),
      }),
  },
  {
    wrong: "a lease that another holds is given away, in his epoch",
    kind: "lease that expires",
    wrapTape: (good) =>
      but(good, {
        resumeRun: async (request, options) => {
          try {
            return await good.resumeRun(request, options);
          } catch (error) {
            if (!(error instanceof TapeError) || error.reason !== "LEASE_HELD") throw error;
            const holder = { runId: request.runId, leaseOwner: error.ids["holder"] ?? "" };
            const { run, leaseEpoch } = await good.resumeRun(holder, options);
            return { run: { ...run, leaseOwner: request.leaseOwner ?? "" }, leaseEpoch };
          }
        },
      }),
  },
  {
    wrong: "a signal that comes before the wait is lost",
    kind: "gate",
    wrapTape: (good) =>
      but(good, {
        sendSignal: async (request, options) => {
          const { status } = await good.getRun({ runId: request.runId ?? "" });
          if (status === "WAITING") return good.sendSignal(request, options);
          return { accepted: true, runId: request.runId ?? "", runStatus: status };
        },
      }),
  },
  {
    wrong: "a gate takes a second answer",
    kind: "gate",
    wrapTape: (good) => {
      const latest = new Map<string, string>();
      const nameOf = ({
        runId,
        gateName,
      }: {
        readonly runId?: string | undefined;
        readonly gateName: string;
      }): string => `${runId} ${gateName}`;
      return but(good, {
        sendSignal: async (request, options) => {
          latest.set(nameOf(request), request.resolutionJson ?? "");
          return good.sendSignal(request, options);
        },
        awaitSignal: async (request, options) => {
          const answer = await good.awaitSignal(request, options);
          const { delivered, resolutionJson } = answer;
          return delivered ? { delivered, resolutionJson: latest.get(nameOf(request)) ?? resolutionJson } : answer;
        },
      });
    },
  },
  {
    wrong: "a claim is handed to two",
    kind: "claim",
    wrapTape: (good) =>
      but(good, {
        claimEffectDispatch: async (request, options) => {
          const answer = await good.claimEffectDispatch(request, options);
          const isHeld = !answer.acquired && answer.effect.status === "PENDING";
          return isHeld ? { acquired: true, effect: { ...answer.effect, dispatchClaimedBy: request.claimer } } : answer;
        },
      }),
  },
  {
    wrong: "what is not to be repeated may be claimed again when a claim has expired",
    kind: "claim that expires",
    wrapTape: (good) =>
      but(good, {
        beginEffect: (request, options) => good.beginEffect({ ...request, semantics: "IDEMPOTENT" }, options),
      }),
  },
  {
    wrong: "an outcome that came second is told to whoever brought it",
    kind: "claim",
    wrapTape: (good) =>
      but(good, {
        completeEffect: async (request, options) => {
          const record = await good.completeEffect(request, options);
          return { ...record, status: request.status, responseJson: request.responseJson ?? "" };
        },
      }),
  },
];
