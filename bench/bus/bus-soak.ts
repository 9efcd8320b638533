import { setTimeout as sleep } from "node:timers/promises";
import type { EventEntry } from "../../src/client/index.ts";
import { TapeError } from "../../src/errors.ts";
import { seededRandom, type Random } from "../../src/testing/random.ts";
import { Caller } from "../soak/caller.ts";
import { Servers } from "../soak/servers.ts";
import { Tally } from "../soak/tally.ts";
import { wordsOfError } from "../words-of-error.ts";
import { auditor, orders } from "./orders.ts";
import { placeOf, work, type Seen } from "./worker.ts";

/** What a soak of the bus needs to be told. */
export interface BusSoakOptions {
  readonly storeUrl: string;
  /** The command line program, compiled. */
  readonly program: string;
  /** Journal entries to write, roughly. */
  readonly entries: number;
  readonly killEveryMs: number;
  readonly seed: number;
  readonly onKill?: (what: string) => void;
}

const serverCount = 3;
const writers = 16;
const workersOfEach = 4;
const decisionsOfRun = 98;
/** Leases of killed servers and claims of dead workers have expired by then, several times. */
const patienceMs = 180_000;

/**
 * Three servers on one store match four reactions while one of them is killed now and then; workers claim what comes of
 * it and die now and then. At the end every matching entry has one task, and each was completed once.
 */
export async function busSoak(options: BusSoakOptions): Promise<Tally> {
  const random = seededRandom(options.seed);
  const tally = new Tally();
  const servers = await Servers.open(options.program, options.storeUrl, serverCount);
  const callers: Caller[] = [];
  const newCaller = (name: string): Caller => {
    const caller = new Caller(name, servers.ports, random.fork(), tally);
    callers.push(caller);
    return caller;
  };
  const seen: Seen = { tasks: new Map(), completed: new Map() };
  let isOver = false;
  const killing = new AbortController();
  try {
    const director = newCaller("director");
    for (const { reaction } of orders) await director.call((tape) => tape.registerReaction(reaction));
    const started = performance.now();
    const kills = act(tally, () => killNowAndThen(servers, random, tally, options, killing.signal));
    const runs = Math.ceil(options.entries / (decisionsOfRun + 2) / writers);
    const workers = orders
      .filter(({ reaction }) => reaction.handlerKind !== "AGENT")
      .flatMap(({ reaction: { reactionId } }) =>
        Array.from({ length: workersOfEach }, (_, n) =>
          act(tally, () =>
            work({
              caller: newCaller(`${reactionId}-${n}`),
              tally,
              seen,
              reactionId,
              isOver: () => isOver,
            }),
          ),
        ),
      );
    await Promise.all(
      Array.from({ length: writers }, (_, n) => act(tally, () => write(newCaller(`writer-${n}`), runs))),
    );
    tally.count("ms of writing", Math.round(performance.now() - started));
    await completed(await feed(director), seen, tally);
    isOver = true;
    await Promise.all(workers);
    killing.abort();
    await kills;
    const last = await audited(director, tally);
    await check(director, last, seen, tally);
    return tally;
  } finally {
    killing.abort();
    await Promise.all(callers.map((caller) => caller.close()));
    await servers.close();
  }
}

async function act(tally: Tally, life: () => Promise<void>): Promise<void> {
  try {
    await life();
  } catch (error) {
    tally.violation("call failed", wordsOfError(error));
  }
}

async function killNowAndThen(
  servers: Servers,
  random: Random,
  tally: Tally,
  { killEveryMs, onKill }: BusSoakOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(killEveryMs / 2 + random.int(killEveryMs), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const port = random.pick(servers.ports);
    await servers.restart(port);
    tally.count("servers killed");
    onKill?.(`tape serve on port ${port}`);
  }
}

async function write(caller: Caller, runs: number): Promise<void> {
  for (let run = 0; run < runs; run += 1) {
    const invocationId = `${caller.name}-${run}`;
    const { runId } = await caller.call((tape) =>
      tape.beginRun({ appName: "soak", invocationId, leaseOwner: caller.name }),
    );
    for (let first = 0; first < decisionsOfRun; first += 14) {
      await Promise.all(
        Array.from({ length: 14 }, (_, i) =>
          caller.call((tape) => tape.recordDecision({ runId, decisionIndex: first + i, model: `m${i}` })),
        ),
      );
    }
    await caller.call((tape) => tape.endRun({ runId, status: "TERMINAL" }));
  }
}

/** Waits until as many tasks were completed as there are entries for them: who matches may die once more meanwhile. */
async function completed(entries: readonly EventEntry[], seen: Seen, tally: Tally): Promise<void> {
  const due = orders
    .filter(({ reaction }) => reaction.handlerKind !== "AGENT")
    .reduce((sum, { isFor }) => sum + entries.filter(isFor).length, 0);
  const until = performance.now() + patienceMs;
  while (seen.completed.size < due) {
    if (performance.now() > until) {
      tally.violation("lost", `${seen.completed.size} tasks were completed, ${due} are due`);
      return;
    }
    await sleep(100);
  }
}

/** Waits until the last reaction has started a run for each one written, and gives the whole feed. */
async function audited(caller: Caller, tally: Tally): Promise<readonly EventEntry[]> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const entries = await feed(caller);
    const begun = entries.filter(({ subject }) => subject.startsWith("/tape/run/running/soak/")).length;
    const started = entries.filter(({ subject }) => subject.startsWith(`/tape/run/running/${auditor}/`)).length;
    if (started >= begun) return entries;
    if (performance.now() > until) {
      tally.violation("lost", `${started} runs were started for ${begun}`);
      return entries;
    }
    await sleep(500);
  }
}

/** Everything in the feed, up to the value that says that it is all. Errors: DEADLINE_EXCEEDED. */
async function feed(caller: Caller): Promise<readonly EventEntry[]> {
  const key = caller.newRequestId();
  await caller.call((tape) => tape.writeValue({ namespace: "soak", key, valueJson: "true" }));
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const entries: EventEntry[] = [];
    try {
      for await (const entry of caller.tape.subscribeEvents({})) {
        if (entry.kind === "value" && entry.payloadJson.includes(JSON.stringify(key))) return entries;
        entries.push(entry);
      }
    } catch {
      // A server was killed: from the start, through the next one.
    }
    caller.switchServer();
    await sleep(100);
  }
  throw new TapeError("DEADLINE_EXCEEDED", `no server gave the whole feed within ${patienceMs} ms`);
}

async function check(caller: Caller, entries: readonly EventEntry[], seen: Seen, tally: Tally): Promise<void> {
  tally.count("entries", entries.length);
  for (const { reaction, isFor } of orders) {
    const matching = entries.filter(isFor);
    const { reactionId } = reaction;
    tally.count(`tasks of ${reactionId}`, matching.length);
    if (reaction.handlerKind === "AGENT") {
      await checkStarted(caller, entries, reactionId, matching, tally);
      continue;
    }
    const places = new Set(matching.map(({ globalSeq }) => placeOf(reactionId, globalSeq)));
    for (const place of places) {
      const tasks = [...(seen.tasks.get(place) ?? [])];
      if (tasks.length === 0) tally.violation("lost", `no task for ${place}`);
      if (tasks.length > 1) tally.violation("duplicated", `${tasks.length} tasks for ${place}`);
      for (const task of tasks) {
        const by = seen.completed.get(task)?.size ?? 0;
        if (by === 0) tally.violation("lost", `task ${task} of ${place} was not completed`);
        if (by > 1) tally.violation("duplicated", `task ${task} of ${place} was completed by ${by}`);
      }
    }
    for (const place of seen.tasks.keys()) {
      if (place.startsWith(`${reactionId} `) && !places.has(place))
        tally.violation("duplicated", `a task for ${place}`);
    }
    for (const status of ["PENDING", "CLAIMED", "FAILED", "DLQ"] as const) {
      const { tasks } = await caller.call((tape) => tape.listTasks({ reactionId, status }));
      if (tasks.length > 0) tally.violation("lost", `${tasks.length} tasks of ${reactionId} are ${status}`);
    }
  }
}

/** Each task that starts a run started one. */
async function checkStarted(
  caller: Caller,
  entries: readonly EventEntry[],
  reactionId: string,
  matching: readonly EventEntry[],
  tally: Tally,
): Promise<void> {
  const { tasks } = await caller.call((tape) => tape.listTasks({ reactionId, status: "DONE", limit: 1000 }));
  const sources = new Set(tasks.map(({ sourceGlobalSeq }) => sourceGlobalSeq));
  if (tasks.length !== matching.length || sources.size !== matching.length) {
    tally.violation("lost", `${matching.length} entries made ${tasks.length} tasks of ${reactionId} that are DONE`);
  }
  const begun = entries.filter(({ subject }) => subject.startsWith(`/tape/run/running/${auditor}/`));
  const invocations = begun.map(
    ({ payloadJson }) => (JSON.parse(payloadJson) as { readonly invocation_id: string }).invocation_id,
  );
  for (const { taskId } of tasks) {
    const times = invocations.filter((invocation) => invocation === taskId).length;
    if (times !== 1) tally.violation(times === 0 ? "lost" : "duplicated", `task ${taskId} started ${times} runs`);
  }
}
