import assert from "node:assert/strict";
import type { BeginRunResult } from "../../model/call.ts";
import type { BeginEffectRequest, EffectRecord } from "../../model/effect.ts";
import type { ObligationRecord } from "../../model/obligation.ts";
import type { BeginRunRequest, JournalEntry, RunState } from "../../model/run.ts";
import type { Tape } from "../../model/tape.ts";
import type { FakeClock } from "../fake-clock.ts";
import { upTo } from "./assertions.ts";
import { eventually, follow } from "./stream.ts";
import type { TapeHarness } from "./tape-harness.ts";

/** The lease owner of runs that a scene begins. */
export const agent = "agent";
/** The claimer of effects and obligations that a scene claims. */
export const dispatcher = "dispatcher";

/** A time that no case reaches. */
export const farFuture = 4e12;

/** How a scene begins its runs. */
export interface SceneOptions {
  /** Every new run has had another owner before, so that an epoch exists which is older than the run's. */
  readonly usurped?: boolean;
}

/** A run that is being undone. */
export interface UndoneRun {
  readonly runId: string;
  /** Its obligations, newest first. */
  readonly obligations: readonly ObligationRecord[];
}

/** What a case works with: the journal under test, and short ways to get it into a state. */
export interface Scene {
  readonly harness: TapeHarness;
  readonly tape: Tape;
  readonly clock: FakeClock;
  /** A name that nothing else in the scene has. */
  name(kind: string): string;
  /** Another engine on the same store, or the same one where there is no other. */
  other(n?: number): Promise<Tape>;
  /** Closes and opens again, where the harness can. */
  reopen(): Promise<Tape>;
  /** A new run: RUNNING, leased to {@link agent}, granted the scope `wire`. */
  begin(request?: Partial<BeginRunRequest>): Promise<BeginRunResult>;
  /** The epoch that the last run begun had before its owner changed; only in a scene of usurped runs. */
  readonly staleEpoch: number;
  /** The same, of which only the id matters. */
  run(request?: Partial<BeginRunRequest>): Promise<string>;
  get(runId: string): Promise<RunState>;
  /** The key of a new inline effect, PENDING. */
  effect(runId: string, request?: Partial<BeginEffectRequest>): Promise<string>;
  /** The key of a new idempotent outbox effect of the connector `bank`, PENDING. */
  outbox(runId: string, request?: Partial<BeginEffectRequest>): Promise<string>;
  /** The key of a new outbox effect that must not happen twice, PENDING. */
  wire(runId: string, request?: Partial<BeginEffectRequest>): Promise<string>;
  /** Claims an outbox effect for {@link dispatcher}. */
  claim(runId: string, key: string, claimer?: string): Promise<EffectRecord>;
  /** The key of a {@link wire} that nobody knows the outcome of. */
  unknown(runId: string): Promise<string>;
  effectOf(runId: string, key: string): Promise<EffectRecord>;
  /** The seq of an obligation that is due at once, whatever the run is doing: someone found that an act happened twice. */
  duplicate(runId: string): Promise<number>;
  /** A COMPENSATING run with this many obligations. */
  undone(count: number, maxAttempts?: number): Promise<UndoneRun>;
  obligationsOf(runId: string): Promise<readonly ObligationRecord[]>;
  /** A run that waits at the gate. */
  waiting(gateName: string, request?: Partial<BeginRunRequest>): Promise<string>;
  /** All entries of the run. */
  journal(runId: string): Promise<JournalEntry[]>;
  /** `kind/verb` of all entries, or of those of one kind. */
  verbs(runId: string, kind?: string): Promise<string[]>;
  /** Asserts that the calls leave the run and its journal as they are. */
  unchanged<T>(runId: string, calls: () => Promise<T>): Promise<T>;
  /** Waits for something that happens by itself while time goes on. */
  byItself<T>(question: () => Promise<T | undefined | false>, complaint: string): Promise<T>;
}

/** `kind/verb` of an entry. */
export function verbOf(entry: { readonly subject: string }): string {
  const [, root, kind, verb] = entry.subject.split("/");
  assert.equal(root, "tape", `a subject begins with /tape/: ${entry.subject}`);
  return `${kind}/${verb}`;
}

/** Makes the scene of one case. */
export function createScene(harness: TapeHarness, options: SceneOptions = {}): Scene {
  const { clock } = harness;
  let tape = harness.tape;
  let names = 0;
  let staleEpoch = 0;
  const name = (kind: string): string => `${kind}-${(names += 1)}`;

  const begin: Scene["begin"] = async (request) => {
    const whole: BeginRunRequest = {
      appName: "app",
      userId: "user",
      sessionId: "session",
      invocationId: name("invocation"),
      leaseOwner: agent,
      scopes: ["wire"],
      ...request,
    };
    if (options.usurped === true) {
      staleEpoch = (await tape.beginRun({ ...whole, leaseOwner: "usurped", leaseTtlMs: 1000 })).leaseEpoch;
      await clock.advance(1001);
    }
    return tape.beginRun(whole);
  };
  const run: Scene["run"] = async (request) => (await begin(request)).runId;
  const effect: Scene["effect"] = async (runId, request) => {
    const begun = await tape.beginEffect({ runId, toolName: name("tool"), decisionIndex: 0, ...request });
    return begun.idempotencyKey;
  };
  const outbox: Scene["outbox"] = (runId, request) =>
    effect(runId, { dispatchMode: "OUTBOX", connector: "bank", ...request });
  const wire: Scene["wire"] = (runId, request) =>
    outbox(runId, { semantics: "NON_IDEMPOTENT", scope: "wire", ...request });
  const claim: Scene["claim"] = async (runId, idempotencyKey, claimer = dispatcher) => {
    const claimed = await tape.claimEffectDispatch({ runId, idempotencyKey, claimer });
    assert.equal(claimed.acquired, true, "the claim should be won");
    return claimed.effect;
  };
  const journal: Scene["journal"] = async (runId) => {
    const { seqCursor } = await tape.getRun({ runId });
    const stream = follow((signal) => tape.subscribeRun({ runId }, { signal }));
    const entries = await stream.take(seqCursor);
    await stream.leave();
    return entries;
  };
  const obligationsOf: Scene["obligationsOf"] = async (runId) => (await tape.listObligations({ runId })).obligations;

  return {
    harness,
    get tape() {
      return tape;
    },
    clock,
    name,
    other: async (n = 1) => (await harness.tapes?.(n)) ?? tape,
    reopen: async () => {
      tape = (await harness.reopen?.()) ?? tape;
      return tape;
    },
    begin,
    get staleEpoch() {
      return staleEpoch;
    },
    run,
    get: (runId) => tape.getRun({ runId }),
    effect,
    outbox,
    wire,
    claim,
    unknown: async (runId) => {
      const idempotencyKey = await wire(runId);
      await claim(runId, idempotencyKey);
      await tape.recordDispatchAttempt({ runId, idempotencyKey, error: "no answer", nextDispatchAtMs: 0 });
      return idempotencyKey;
    },
    effectOf: async (runId, idempotencyKey) => {
      const { found, effect: record } = await tape.getEffect({ runId, idempotencyKey });
      assert.ok(found && record, `effect ${idempotencyKey} should be found`);
      return record;
    },
    duplicate: async (runId) => {
      await tape.recordExternalObservation({
        runId,
        idempotencyKey: await outbox(runId),
        resolution: "DUPLICATE",
        compensateOnDuplicateKind: "refund",
      });
      return (await obligationsOf(runId))[0]?.seq ?? 0;
    },
    undone: async (count, maxAttempts) => {
      const runId = await run();
      for (const _ of upTo(count)) {
        const effectKey = await effect(runId);
        await tape.completeEffect({ runId, idempotencyKey: effectKey, status: "CONFIRMED" });
        await tape.registerCompensation({ runId, effectKey, kind: "undo", maxAttempts });
      }
      await tape.endRun({ runId, status: "COMPENSATING" });
      return { runId, obligations: await obligationsOf(runId) };
    },
    obligationsOf,
    waiting: async (gateName, request) => {
      const runId = await run(request);
      const { delivered } = await tape.awaitSignal({ runId, gateName });
      assert.equal(delivered, false, "nobody has answered the gate yet");
      return runId;
    },
    journal,
    verbs: async (runId, kind) => {
      const all = (await journal(runId)).map(verbOf);
      return kind === undefined ? all : all.filter((verb) => verb.startsWith(`${kind}/`));
    },
    unchanged: async (runId, calls) => {
      const look = async (): Promise<unknown> => ({
        state: await tape.getRun({ runId }),
        journal: await journal(runId),
      });
      const before = await look();
      const answer = await calls();
      assert.deepEqual(await look(), before, "nothing may be written");
      return answer;
    },
    byItself: (question, complaint) => eventually(question, () => clock.advance(250), complaint),
  };
}
