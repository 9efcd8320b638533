import type { RpcName, RpcRequest } from "../../src/rpc/rpc-methods.ts";
import type { Belongings } from "./belongings.ts";

/** How each RPC is called with somebody's names. Total: an RPC that is new does not compile without its line. */
export type RpcCases = { readonly [Name in RpcName]: (of: Belongings) => RpcRequest<Name> };

const run = ({ runId }: Belongings): { readonly runId: string } => ({ runId });
const effect = ({
  runId,
  idempotencyKey,
}: Belongings): { readonly runId: string; readonly idempotencyKey: string } => ({
  runId,
  idempotencyKey,
});
const session = ({ appName, userId, sessionId }: Belongings): Pick<Belongings, "appName" | "userId" | "sessionId"> => ({
  appName,
  userId,
  sessionId,
});
const value = ({ namespace, key }: Belongings): Pick<Belongings, "namespace" | "key"> => ({ namespace, key });
const owner = "worker";

/** In this order they are called: those that make something of the caller's own come behind those that only ask. */
export const rpcCases: RpcCases = {
  getRun: run,
  resumeRun: (of) => ({ ...run(of), leaseOwner: owner }),
  endRun: (of) => ({ ...run(of), status: "TERMINAL" }),
  listRunsToRecover: () => ({}),
  subscribeRun: run,
  recordDecision: (of) => ({ ...run(of), decisionIndex: 9, model: "m" }),
  getDecision: (of) => ({ ...run(of), decisionIndex: 0 }),
  beginEffect: (of) => ({ ...run(of), toolName: "x", businessKey: of.businessKey, connector: of.connector }),
  completeEffect: (of) => ({ ...effect(of), status: "CONFIRMED" }),
  getEffect: effect,
  reconcileEffect: (of) => ({ ...effect(of), resolvedStatus: "FAILED" }),
  listEffectsToDispatch: ({ connector }) => ({ connector }),
  claimEffectDispatch: (of) => ({ ...effect(of), claimer: owner }),
  recordDispatchAttempt: (of) => ({ ...effect(of), error: "e", nextDispatchAtMs: 1 }),
  recordExternalObservation: (of) => ({ ...effect(of), resolution: "CONFIRMED" }),
  listPendingEffects: () => ({}),
  registerCompensation: ({ runId, idempotencyKey }) => ({ runId, effectKey: idempotencyKey, kind: "undo" }),
  listObligations: run,
  resolveObligation: (of) => ({ ...run(of), obligationSeq: 3, status: "COMPENSATED" }),
  listUnresolvedObligations: () => ({ includePending: true, includeStuck: true, includeCommittedExpired: true }),
  claimObligation: (of) => ({ ...run(of), obligationSeq: 3, claimer: owner }),
  recordObligationAttempt: (of) => ({ ...run(of), obligationSeq: 3, error: "e", nextAttemptAtMs: 1 }),
  setBudget: (of) => ({ ...run(of), usdCap: 1 }),
  admitBudget: (of) => ({ ...run(of), usdEstimate: 1 }),
  chargeBudget: (of) => ({ ...run(of), usd: 1 }),
  awaitSignal: (of) => ({ ...run(of), gateName: of.gateName }),
  sendSignal: (of) => ({ ...session(of), gateName: of.gateName, resolutionJson: "1" }),
  setTimer: (of) => ({ ...run(of), timerId: of.timerId, fireAtMs: 1, kind: "wake" }),
  cancelTimer: ({ runId, timerId }) => ({ runId, timerId }),
  listDueTimers: () => ({ claim: true }),
  listCompactableRuns: () => ({}),
  compactRun: run,
  getRunDetail: run,
  readJournal: (of) => ({ ...run(of), includeBodies: true }),
  listRuns: ({ appName }) => ({ appName }),
  listAttention: () => ({}),
  describeStore: () => ({}),
  listReactions: () => ({}),
  deregisterReaction: ({ reactionId }) => ({ reactionId }),
  claimTasks: ({ reactionId }) => ({ reactionId, owner, max: 10 }),
  completeTask: ({ taskId }) => ({ taskId, owner }),
  nackTask: ({ taskId }) => ({ taskId, owner, error: "e" }),
  listTasks: ({ reactionId }) => ({ reactionId }),
  getValue: value,
  deleteValue: value,
  getSession: session,
  listSessions: ({ appName, userId }) => ({ appName, userId }),
  deleteSession: session,
  // From here on something comes into being, in the caller's own tenant.
  writeValue: (of) => ({ ...value(of), valueJson: "1", ifVersion: 0 }),
  watchValue: value,
  appendEvent: (of) => ({ ...session(of), event: { id: of.eventId, author: "a" } }),
  createSession: session,
  registerReaction: ({ reactionId }) => ({ reactionId, subjectPattern: "/tape/**", handlerKind: "TASK" }),
  beginRun: (of) => ({ ...session(of), invocationId: of.invocationId, leaseOwner: owner }),
  subscribeEvents: () => ({}),
  subscribeBySubject: () => ({ subjectPattern: "/tape/**" }),
};

/** RPCs that know no tenant, and why that is right. Those of `tape.v1` have a case each. */
export const withoutTenant: Readonly<Record<string, string>> = {
  "/grpc.health.v1.Health/Check": "says whether the server serves, to anyone who can reach it",
  "/grpc.health.v1.Health/List": "the same for all services, of which there is one answer",
  "/grpc.health.v1.Health/Watch": "the same as a stream",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "tells the contract, which is public",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "the same in an older form",
};
