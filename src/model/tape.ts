import type {
  BeginEffectResult,
  BeginRunResult,
  CallOptions,
  RecordDecisionResult,
  ResumeRunResult,
  WatchedValue,
} from "./call.ts";
import type {
  AdmitBudgetRequest,
  AdmitBudgetResponse,
  BudgetState,
  ChargeBudgetRequest,
  SetBudgetRequest,
} from "./budget.ts";
import type { GetDecisionRequest, GetDecisionResponse, RecordDecisionRequest } from "./decision.ts";
import type {
  BeginEffectRequest,
  ClaimEffectDispatchRequest,
  ClaimEffectDispatchResponse,
  CompleteEffectRequest,
  EffectRecord,
  GetEffectRequest,
  GetEffectResponse,
  ListEffectsToDispatchRequest,
  ListEffectsToDispatchResponse,
  ListPendingEffectsRequest,
  ListPendingEffectsResponse,
  ReconcileEffectRequest,
  RecordDispatchAttemptRequest,
  RecordExternalObservationRequest,
} from "./effect.ts";
import type { EventEntry, SubscribeBySubjectRequest, SubscribeEventsRequest } from "./feed.ts";
import type { AwaitSignalRequest, AwaitSignalResponse, SendSignalRequest, SendSignalResponse } from "./gate.ts";
import type { Inspect } from "./inspect.ts";
import type {
  ClaimObligationRequest,
  ClaimObligationResponse,
  ListObligationsRequest,
  ListObligationsResponse,
  ListUnresolvedObligationsRequest,
  ListUnresolvedObligationsResponse,
  ObligationRecord,
  RecordObligationAttemptRequest,
  RegisterCompensationRequest,
  ResolveObligationRequest,
} from "./obligation.ts";
import type {
  ClaimTasksRequest,
  ClaimTasksResponse,
  CompleteTaskRequest,
  CompleteTaskResponse,
  DeregisterReactionRequest,
  DeregisterReactionResponse,
  ListReactionsRequest,
  ListReactionsResponse,
  ListTasksRequest,
  ListTasksResponse,
  NackTaskRequest,
  NackTaskResponse,
  Reaction,
} from "./reaction.ts";
import type {
  BeginRunRequest,
  CompactRunRequest,
  CompactRunResponse,
  EndRunRequest,
  EndRunResponse,
  GetRunRequest,
  JournalEntry,
  ListCompactableRunsRequest,
  ListCompactableRunsResponse,
  ListRunsToRecoverRequest,
  ListRunsToRecoverResponse,
  ResumeRunRequest,
  RunState,
  SubscribeRunRequest,
} from "./run.ts";
import type {
  AppendEventRequest,
  AppendEventResponse,
  CreateSessionRequest,
  DeleteSessionRequest,
  DeleteSessionResponse,
  GetSessionRequest,
  GetSessionResponse,
  ListSessionsRequest,
  ListSessionsResponse,
  Session,
} from "./session.ts";
import type {
  CancelTimerRequest,
  CancelTimerResponse,
  ListDueTimersRequest,
  ListDueTimersResponse,
  SetTimerRequest,
  TimerRecord,
} from "./timer.ts";
import type {
  DeleteValueRequest,
  DeleteValueResponse,
  GetValueRequest,
  GetValueResponse,
  ValueRecord,
  WatchValueRequest,
  WriteValueRequest,
} from "./value.ts";

/**
 * Everything Tape can do, call for call the RPCs of `tape.v1`. The engine implements it embedded (`openTape`), the
 * client over the network (`connectTape`); both behave the same.
 *
 * Every promise rejects, and every stream ends, with a {@link TapeError} only. All calls may reject with
 * ARGUMENT_INVALID, SIZE_LIMIT, UNAVAILABLE reasons, DEADLINE_EXCEEDED and CANCELLED; calls on a run with
 * RUN_NOT_FOUND, and writes on a run with EPOCH_STALE. Other errors are named at the call.
 */
export interface Tape {
  /** Reading beside the contract: lists, searches and descriptions of what is in the store. */
  readonly inspect: Inspect;
  /** Opens a run, or takes part in one that exists (R10). Errors: LEASE_HELD. */
  beginRun(request: BeginRunRequest, options?: CallOptions): Promise<BeginRunResult>;
  /** Takes the lease of an existing run; one of several callers wins (R13). Errors: RUN_NOT_FOUND, LEASE_HELD, TRANSITION_NOT_ALLOWED. */
  resumeRun(request: ResumeRunRequest, options?: CallOptions): Promise<ResumeRunResult>;
  /** Ends a run, or starts undoing it (R11). Errors: EFFECTS_UNKNOWN, TRANSITION_NOT_ALLOWED. */
  endRun(request: EndRunRequest, options?: CallOptions): Promise<EndRunResponse>;
  /** Reads a run. Errors: RUN_NOT_FOUND. */
  getRun(request: GetRunRequest, options?: CallOptions): Promise<RunState>;
  /** Runs that someone should resume, oldest due first (R13). */
  listRunsToRecover(request?: ListRunsToRecoverRequest, options?: CallOptions): Promise<ListRunsToRecoverResponse>;
  /** Every entry of a run from a seq on, pushed as committed; ends when the run has ended (R14). */
  subscribeRun(request: SubscribeRunRequest, options?: CallOptions): AsyncIterable<JournalEntry>;
  /** Records one model call; the first write of an index wins (R15). Errors: RUN_ENDED, DIVERGENCE. */
  recordDecision(request: RecordDecisionRequest, options?: CallOptions): Promise<RecordDecisionResult>;
  /** Reads one recorded model call (R16). */
  getDecision(request: GetDecisionRequest, options?: CallOptions): Promise<GetDecisionResponse>;
  /** Records the intent of one act before it happens (R20 to R22). Errors: SCOPE_NOT_GRANTED, BUSINESS_KEY_USED, COUNT_LIMIT, RUN_ENDED. */
  beginEffect(request: BeginEffectRequest, options?: CallOptions): Promise<BeginEffectResult>;
  /** Records how an act ended; the first outcome wins (R23). Errors: EFFECT_NOT_BEGUN. */
  completeEffect(request: CompleteEffectRequest, options?: CallOptions): Promise<EffectRecord>;
  /** Reads one effect. */
  getEffect(request: GetEffectRequest, options?: CallOptions): Promise<GetEffectResponse>;
  /** Settles an effect by a human or a reconciler (R28). Errors: EFFECT_NOT_FOUND. */
  reconcileEffect(request: ReconcileEffectRequest, options?: CallOptions): Promise<EffectRecord>;
  /** Outbox effects that are due and unclaimed, by due time (R24). */
  listEffectsToDispatch(
    request?: ListEffectsToDispatchRequest,
    options?: CallOptions,
  ): Promise<ListEffectsToDispatchResponse>;
  /** Claims one outbox effect; one of several claimers wins (R24, R25). Errors: EFFECT_NOT_FOUND. */
  claimEffectDispatch(request: ClaimEffectDispatchRequest, options?: CallOptions): Promise<ClaimEffectDispatchResponse>;
  /** Says that an attempt ended without an outcome (R26). Errors: CLAIM_HELD, TRANSITION_NOT_ALLOWED. */
  recordDispatchAttempt(request: RecordDispatchAttemptRequest, options?: CallOptions): Promise<EffectRecord>;
  /** Says what the outside world answered about an act (R27). */
  recordExternalObservation(request: RecordExternalObservationRequest, options?: CallOptions): Promise<EffectRecord>;
  /** Promises the inverse of an effect (R30). Errors: EFFECT_NOT_FOUND. */
  registerCompensation(request: RegisterCompensationRequest, options?: CallOptions): Promise<ObligationRecord>;
  /** Obligations of one run, newest first (R33). */
  listObligations(request: ListObligationsRequest, options?: CallOptions): Promise<ListObligationsResponse>;
  /** Says how a compensation ended (R32). Errors: OBLIGATION_NOT_FOUND, CLAIM_HELD. */
  resolveObligation(request: ResolveObligationRequest, options?: CallOptions): Promise<ObligationRecord>;
  /** Due obligations of all runs, oldest due first (R33). */
  listUnresolvedObligations(
    request?: ListUnresolvedObligationsRequest,
    options?: CallOptions,
  ): Promise<ListUnresolvedObligationsResponse>;
  /** Claims one due obligation; one of several claimers wins (R31). */
  claimObligation(request: ClaimObligationRequest, options?: CallOptions): Promise<ClaimObligationResponse>;
  /** Says that a compensation attempt failed (R32). Errors: CLAIM_HELD, TRANSITION_NOT_ALLOWED. */
  recordObligationAttempt(request: RecordObligationAttemptRequest, options?: CallOptions): Promise<ObligationRecord>;
  /** Sets the caps of a run; spending stays (R36). */
  setBudget(request: SetBudgetRequest, options?: CallOptions): Promise<BudgetState>;
  /** Asks whether an estimated cost still fits, from committed spending (R36). */
  admitBudget(request: AdmitBudgetRequest, options?: CallOptions): Promise<AdmitBudgetResponse>;
  /** Adds to the spending of a run (R36). */
  chargeBudget(request: ChargeBudgetRequest, options?: CallOptions): Promise<BudgetState>;
  /** Waits at a gate: gives the answer, or makes the run WAITING (R40, R41). */
  awaitSignal(request: AwaitSignalRequest, options?: CallOptions): Promise<AwaitSignalResponse>;
  /** Answers a gate, by run or by session (R42). Errors: RUN_NOT_FOUND, RUN_ENDED. */
  sendSignal(request: SendSignalRequest, options?: CallOptions): Promise<SendSignalResponse>;
  /** Effects whose outcome someone should find out, oldest first (R28). */
  listPendingEffects(request?: ListPendingEffectsRequest, options?: CallOptions): Promise<ListPendingEffectsResponse>;
  /** Sets a durable wake-up (R45). Errors: COUNT_LIMIT, TRANSITION_NOT_ALLOWED. */
  setTimer(request: SetTimerRequest, options?: CallOptions): Promise<TimerRecord>;
  /** Removes an unfired timer. */
  cancelTimer(request: CancelTimerRequest, options?: CallOptions): Promise<CancelTimerResponse>;
  /** Due timers; with `claim`, each goes to one caller (R46). */
  listDueTimers(request?: ListDueTimersRequest, options?: CallOptions): Promise<ListDueTimersResponse>;
  /** Ended runs whose bodies may go (R75). */
  listCompactableRuns(
    request?: ListCompactableRunsRequest,
    options?: CallOptions,
  ): Promise<ListCompactableRunsResponse>;
  /** Drops the payload bodies of an ended run (R75). */
  compactRun(request: CompactRunRequest, options?: CallOptions): Promise<CompactRunResponse>;
  /** The feed of the whole store, filtered (R50, R51). */
  subscribeEvents(request: SubscribeEventsRequest, options?: CallOptions): AsyncIterable<EventEntry>;
  /** The feed by subject pattern and predicate (R51, R52). */
  subscribeBySubject(request: SubscribeBySubjectRequest, options?: CallOptions): AsyncIterable<EventEntry>;
  /** Registers a reaction (R70). */
  registerReaction(request: Reaction, options?: CallOptions): Promise<Reaction>;
  /** Removes a reaction. */
  deregisterReaction(request: DeregisterReactionRequest, options?: CallOptions): Promise<DeregisterReactionResponse>;
  /** Lists reactions. */
  listReactions(request?: ListReactionsRequest, options?: CallOptions): Promise<ListReactionsResponse>;
  /** Claims due tasks (R71). */
  claimTasks(request: ClaimTasksRequest, options?: CallOptions): Promise<ClaimTasksResponse>;
  /** Completes a claimed task (R71). */
  completeTask(request: CompleteTaskRequest, options?: CallOptions): Promise<CompleteTaskResponse>;
  /** Fails a claimed task (R71). */
  nackTask(request: NackTaskRequest, options?: CallOptions): Promise<NackTaskResponse>;
  /** Lists tasks. */
  listTasks(request?: ListTasksRequest, options?: CallOptions): Promise<ListTasksResponse>;
  /** Writes a value, perhaps only at a version (R60). Errors: VERSION_MISMATCH. */
  writeValue(request: WriteValueRequest, options?: CallOptions): Promise<ValueRecord>;
  /** Reads a value. */
  getValue(request: GetValueRequest, options?: CallOptions): Promise<GetValueResponse>;
  /** Follows one value, no change skipped (R61). */
  watchValue(request: WatchValueRequest, options?: CallOptions): AsyncIterable<WatchedValue>;
  /** Deletes a value; its versions go on (R60). */
  deleteValue(request: DeleteValueRequest, options?: CallOptions): Promise<DeleteValueResponse>;
  /** Makes a session, or returns it (R66). Errors: SESSION_EXISTS. */
  createSession(request: CreateSessionRequest, options?: CallOptions): Promise<Session>;
  /** Reads a session with its latest events (R66). */
  getSession(request: GetSessionRequest, options?: CallOptions): Promise<GetSessionResponse>;
  /** Sessions of a user, newest first, without events (R66). */
  listSessions(request: ListSessionsRequest, options?: CallOptions): Promise<ListSessionsResponse>;
  /** Deletes a session with its events (R66). */
  deleteSession(request: DeleteSessionRequest, options?: CallOptions): Promise<DeleteSessionResponse>;
  /** Adds an event and changes the state, in one commit (R65). Errors: SESSION_NOT_FOUND. */
  appendEvent(request: AppendEventRequest, options?: CallOptions): Promise<AppendEventResponse>;
  /** Ends streams, waits for commits under way, releases everything. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
