import { Engine } from "../../../src/engine/engine.ts";
import { TapeError } from "../../../src/errors.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { RowId } from "../../../src/model/row.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { reactor } from "../../../src/reactor/reactor.ts";
import { rpcMethods, type StreamingRpcName } from "../../../src/rpc/rpc-methods.ts";
import type { Store } from "../../../src/store/store.ts";
import { wrong } from "../target.ts";
import { DamagedStore, type RowDamage } from "./damaged-store.ts";
import {
  reactionIds,
  registerLate,
  seededIds,
  sessionIds,
  valueKeys,
  writeDecision,
  writeEvent,
  writeValue,
  type Journal,
} from "./journal.ts";

/** What came of a stream, as its caller saw it. */
export interface Seen {
  readonly items: readonly Record<string, unknown>[];
  /** What ended it before the server did. */
  readonly error: TapeError | undefined;
}

/** What a server did that ran over a journal for some minutes. */
export interface Play {
  /** Streams and calls by name: `subscribeRun <run>`, `watchValue <key>`, `write <run>`, `claim <reaction>`. */
  readonly streams: ReadonlyMap<string, Seen>;
  /** Calls that failed, by name. */
  readonly failures: ReadonlyMap<string, TapeError>;
  /** What an operator was told, by what: `damage`, or the kind of a trouble and its reaction. */
  readonly told: readonly (readonly [what: string, text: string])[];
  readonly calls: number;
  /** Rows that were written beside those of the journal. */
  readonly written: readonly RowId[];
}

/** How the server is changed, for tests of the judge. */
export interface PlayOptions {
  readonly damaged?: ReadonlyMap<RowId, RowDamage>;
  readonly mostCalls?: number;
  readonly change?: (store: Store) => Store;
}

const housekeeping = { firstAfterMs: 2000, sweepEveryMs: 30_000, graceMs: 500, pauseMs: 10 };
const retention = { payloadsMs: 20_000, runsMs: 60_000, deadTasksMs: 60_000 };
const [stepMs, steps] = [2500, 54];

/** Runs a server over a journal, with streams open and callers who write, and gives what came of it. */
export async function play(journal: Journal, options: PlayOptions = {}): Promise<Play> {
  const { damaged = new Map(), mostCalls, change = (store: Store): Store => store } = options;
  const store = new DamagedStore(journal.store, damaged, mostCalls);
  const { clock } = journal;
  const told: [string, string][] = [];
  const engine = new Engine({
    store: change(store),
    clock,
    ids: seededIds(2),
    housekeeping,
    retention,
    onDamage: ({ message }) => told.push(["damage", message]),
    reactor: reactor(({ kind, reactionId, message, cause }) =>
      told.push([`${kind} ${reactionId}`, cause instanceof Error ? `${message}: ${cause.message}` : message]),
    ),
  });
  const tape = engine.tape(localAccess);
  const left = new AbortController();
  const streams = openStreams(tape, journal, left.signal);
  const failures = new Map<string, TapeError>();
  const attempt = async (name: string, call: () => Promise<unknown>): Promise<void> => {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      failures.set(name, error);
    }
  };
  const work = async (): Promise<void> => {
    engine.start();
    await registerLate(tape);
    for (let step = 1; step <= steps; step += 1) {
      await clock.advance(stepMs);
      if (step === 6 || step === 34) await writeAll(tape, journal, step, attempt);
      if (step % 20 === 10) await workAll(tape, attempt);
      if (step % 20 === 15) await attempt("figures", () => engine.figures());
    }
    left.abort();
    await engine.close();
  };
  await store.orOverrun(work());
  const seen = new Map<string, Seen>();
  for (const [name, collecting] of streams) seen.set(name, await collecting);
  return { streams: seen, failures, told, calls: store.calls, written: [...store.written] };
}

type Attempt = (name: string, call: () => Promise<unknown>) => Promise<void>;

async function writeAll(tape: Tape, { runIds }: Journal, step: number, attempt: Attempt): Promise<void> {
  for (const runId of runIds) await attempt(`write ${runId}`, () => writeDecision(tape, runId, step));
  for (const key of valueKeys) await attempt(`write ${key}`, () => writeValue(tape, key, step));
  for (const sessionId of sessionIds)
    await attempt(`write ${sessionId}`, () => writeEvent(tape, sessionId, `e${step}`));
}

/** Workers take what there is. Some tasks, always the same ones, they never end, so that their claims expire. */
async function workAll(tape: Tape, attempt: Attempt): Promise<void> {
  const owner = "worker";
  for (const reactionId of reactionIds) {
    await attempt(`claim ${reactionId}`, async () => {
      for (;;) {
        const { tasks } = await tape.claimTasks({ reactionId, shard: -1, owner, max: 1, leaseMs: 20_000 });
        const [task] = tasks;
        if (task === undefined) return;
        const isLeft = reactionId !== "limited" && task.taskId.charCodeAt(6) % 3 === 0;
        if (!isLeft) await tape.completeTask({ taskId: task.taskId, owner });
      }
    });
  }
}

function openStreams(tape: Tape, { runIds }: Journal, signal: AbortSignal): ReadonlyMap<string, Promise<Seen>> {
  const options = { signal };
  const found = new Map<string, Promise<Seen>>([
    ["subscribeEvents", collect("subscribeEvents", tape.subscribeEvents({}, options))],
    [
      "subscribeBySubject",
      collect(
        "subscribeBySubject",
        tape.subscribeBySubject({ subjectPattern: "/tape/value/**", predicateCel: "payload.version > 0" }, options),
      ),
    ],
  ]);
  for (const runId of runIds) {
    found.set(`subscribeRun ${runId}`, collect("subscribeRun", tape.subscribeRun({ runId }, options)));
  }
  for (const key of valueKeys) {
    const request = { namespace: "ns", key, fromVersion: 1 };
    found.set(`watchValue ${key}`, collect("watchValue", tape.watchValue(request, options)));
  }
  return found;
}

/** Reads a stream to its end, as it travels to a client. */
async function collect<Name extends StreamingRpcName>(name: Name, stream: AsyncIterable<object>): Promise<Seen> {
  const { response } = rpcMethods[name];
  const items: Record<string, unknown>[] = [];
  try {
    for await (const item of stream) {
      items.push({ ...response.decode(response.encode(item as Parameters<typeof response.encode>[0])) });
    }
    return { items, error: undefined };
  } catch (error) {
    if (!(error instanceof TapeError))
      return wrong(`${name} ends with an error that is no TapeError: ${String(error)}`);
    return { items, error: error.reason === "CANCELLED" ? undefined : error };
  }
}
