import { setTimeout as sleep } from "node:timers/promises";
import { TapeError } from "../../src/client/index.ts";
import { extendRun, type HeldRun } from "./run-steps.ts";
import { namespace, scope, sharedValues, type Actor } from "./scene.ts";

/** What may be refused for good reason when several agents are after one run. */
const expected: ReadonlySet<string> = new Set(["LEASE_HELD", "TRANSITION_NOT_ALLOWED", "RUN_ENDED", "EPOCH_STALE"]);

/** Begins runs and takes up abandoned ones, until the soak is over and nothing is left to recover. */
export async function agent(actor: Actor): Promise<void> {
  const { caller, isOver } = actor;
  const own = ownValue(actor);
  let lives = 1;
  let begun = 0;
  const zombies: HeldRun[] = [];
  while (!isOver()) {
    // Who has died and comes back is another owner.
    const owner = `${caller.name}.${lives}`;
    const recovered = caller.random.chance(0.3) ? await recover(actor, owner) : undefined;
    const run = recovered ?? (await begin(actor, owner, `${caller.name}-${(begun += 1)}`));
    if (run === undefined) continue;
    if ((await extendRun(actor, run)) === "died") {
      lives += 1;
      zombies.push(run);
    }
    await haunt(actor, zombies);
    await own();
    await writeShared(actor);
  }
  await recoverAll(actor, `${caller.name}.last`);
  await haunt(actor, zombies);
}

async function begin(actor: Actor, leaseOwner: string, invocationId: string): Promise<HeldRun | undefined> {
  const { caller, ledger, leaseMs } = actor;
  return held(actor, leaseOwner, () =>
    caller.call((tape) =>
      tape.beginRun({ appName: "soak", invocationId, leaseOwner, leaseTtlMs: leaseMs, scopes: [scope] }),
    ),
  ).then((run) => {
    if (run !== undefined) ledger.acknowledge(run.runId, "run RUNNING");
    return run;
  });
}

async function recover(actor: Actor, leaseOwner: string): Promise<HeldRun | undefined> {
  const { caller, leaseMs, ledger, tally } = actor;
  const { runs } = await caller.call((tape) => tape.listRunsToRecover({ limit: 10 }));
  if (runs.length === 0) return undefined;
  const { runId } = caller.random.pick(runs);
  const before = ledger.epoch(runId);
  const run = await held(
    actor,
    leaseOwner,
    async () => {
      const { leaseEpoch } = await caller.call((tape) => tape.resumeRun({ runId, leaseOwner, leaseTtlMs: leaseMs }));
      return { runId, leaseEpoch };
    },
    before,
  );
  if (run !== undefined) tally.count("runs recovered");
  return run;
}

async function held(
  { ledger }: Actor,
  owner: string,
  acquire: () => Promise<{ readonly runId: string; readonly leaseEpoch: number }>,
  before = 0,
): Promise<HeldRun | undefined> {
  try {
    const { runId, leaseEpoch } = await acquire();
    ledger.lease(runId, owner, leaseEpoch, before);
    return { runId, owner, leaseEpoch };
  } catch (error) {
    if (error instanceof TapeError && expected.has(error.reason)) return undefined;
    throw error;
  }
}

/** Nothing is begun any more: waits until the leases of the dead have expired, and ends their runs. */
async function recoverAll(actor: Actor, owner: string): Promise<void> {
  const { caller, leaseMs } = actor;
  let idleSince = performance.now();
  while (performance.now() - idleSince < 2 * leaseMs) {
    const run = await recover(actor, owner);
    if (run !== undefined) {
      await extendRun(actor, run);
      idleSince = performance.now();
    }
    await sleep(50 + caller.random.int(100));
  }
}

/** An agent that has died goes on writing to a run that another one has meanwhile: it must not get through. */
async function haunt({ caller, ledger, tally }: Actor, zombies: HeldRun[]): Promise<void> {
  for (const zombie of zombies.splice(0)) {
    const { runId, owner, leaseEpoch } = zombie;
    if (ledger.epoch(runId) <= leaseEpoch) {
      zombies.push(zombie);
      continue;
    }
    const decision = { runId, decisionIndex: 1_000 + leaseEpoch, responseJson: "0" };
    try {
      await caller.call((tape) => tape.recordDecision(decision, { leaseEpoch }));
      tally.violation("two owners", `run ${runId}: a write of ${owner} got through at the stale epoch ${leaseEpoch}`);
    } catch (error) {
      if (!(error instanceof TapeError) || !expected.has(error.reason)) throw error;
      tally.count("stale writes refused");
    }
  }
}

/** A value that only this agent writes: a version that is not the next one is a write that was lost or done twice. */
function ownValue({ caller, ledger, tally }: Actor): () => Promise<void> {
  const key = `own-${caller.name}`;
  let version = 0;
  return async () => {
    const requestId = caller.newRequestId();
    const value = { namespace, key, valueJson: JSON.stringify(requestId), ifVersion: version };
    try {
      const written = await caller.call((tape) => tape.writeValue(value, { requestId }));
      version += 1;
      if (written.version !== version) {
        tally.violation("duplicated", `value ${key} is at ${written.version} after ${version} writes`);
      }
      ledger.wroteVersion(key, version, requestId);
    } catch (error) {
      if (!(error instanceof TapeError) || error.reason !== "VERSION_MISMATCH") throw error;
      tally.violation("lost", `value ${key} is not at ${version}, which was acknowledged to its only writer`);
    }
  };
}

/** A value that all write: of those who saw one version, one gets the next. */
async function writeShared({ caller, ledger, tally }: Actor): Promise<void> {
  const key = `shared-${caller.random.int(sharedValues)}`;
  const { value } = await caller.call((tape) => tape.getValue({ namespace, key }));
  const requestId = caller.newRequestId();
  const ifVersion = value?.version ?? 0;
  const wanted = { namespace, key, valueJson: JSON.stringify(requestId), ifVersion };
  try {
    const now = await caller.call((tape) => tape.writeValue(wanted, { requestId }));
    // A repeat is answered from the row as it is now (R3), which others may have written since.
    const isRight = now.valueJson === wanted.valueJson ? now.version === ifVersion + 1 : now.version > ifVersion + 1;
    if (!isRight) tally.violation("two writers", `value ${key} is at ${now.version} after a write on ${ifVersion}`);
    ledger.wroteVersion(key, ifVersion + 1, requestId);
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "VERSION_MISMATCH") throw error;
    tally.count("races for a value lost");
  }
}
