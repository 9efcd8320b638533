import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { TapeError } from "../../errors.ts";
import type { Tape } from "../../model/tape.ts";
import { openTape } from "../../open-tape.ts";
import { fail, type Finding, ok, skipped, untold, warn } from "./finding.ts";
import { type BegunRun, scratch } from "./scratch-run.ts";

/** The store that is to prove itself. */
export interface SelfTestStore {
  readonly url: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How long the process may take to begin its run, and its successor to get the lease. */
const patienceMs = 30_000;
const pauseMs = 50;
const id = "store.recovery";
const report = ["# this is a fault of Tape or of the store: keep the store as it is and report it"];

/**
 * Lets a process begin a run and an act on the store, kills it with SIGKILL, and goes on in its place: what was recorded
 * must be there, what was open must be open, and the run must end. The run stays in the journal, ended.
 */
export async function checkRecovery(
  options: SelfTestStore & { readonly durable: boolean; readonly signal: AbortSignal },
): Promise<Finding> {
  if (!options.durable) return skipped(id, "a journal in memory is gone with its process");
  const invocationId = `check-${randomUUID()}`;
  try {
    const begun = await beginAndDie(options, invocationId);
    return await withTape(options, (tape) => goOn(tape, begun, options.signal));
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    return fail(id, error.message, report);
  }
}

async function beginAndDie({ url, env }: SelfTestStore, invocationId: string): Promise<BegunRun> {
  const program = createRequire(import.meta.url).resolve("#doctor-process");
  const child = spawn(process.execPath, [program], { env: { ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const gone = once(child, "close");
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  // Whoever cannot be written to has said why, or is gone.
  child.stdin.on("error", () => undefined);
  child.stdin.write(`${JSON.stringify({ url, invocationId })}\n`);
  const complaints = textOf(child);
  try {
    const first = await Promise.race([once(createInterface({ input: child.stdout }), "line"), gone.then(() => [])]);
    const [line] = first as readonly unknown[];
    child.kill("SIGKILL");
    await gone;
    if (typeof line === "string") return JSON.parse(line) as BegunRun;
    throw new TapeError("INTERNAL", `the process that was to be killed did not get that far: ${await complaints}`);
  } finally {
    clearTimeout(timer);
  }
}

async function textOf({ stderr }: ChildProcess): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stderr ?? []) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8").trim() || "it said nothing";
}

async function goOn(tape: Tape, { runId, idempotencyKey }: BegunRun, signal: AbortSignal): Promise<Finding> {
  const begun = performance.now();
  const leaseEpoch = await takeOver(tape, runId, signal);
  const waitedMs = Math.round(performance.now() - begun);
  const { decision } = await tape.getDecision({ runId, decisionIndex: 0 });
  if (decision?.responseJson !== scratch.answer)
    return fail(id, `the decision of ${runId} was acknowledged and is lost`, report);
  const { effect } = await tape.getEffect({ runId, idempotencyKey });
  if (effect?.status !== "PENDING") {
    return fail(id, `the act of ${runId} was begun and is ${effect?.status ?? "lost"}`, report);
  }
  await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: "{}" }, { leaseEpoch });
  await tape.endRun({ runId, status: "TERMINAL" }, { leaseEpoch });
  const { status } = await tape.getRun({ runId });
  if (status !== "TERMINAL") return fail(id, `${runId} was ended and is ${status}`, report);
  return ok(
    id,
    `a process was killed (SIGKILL) in the middle of an act; another took over after ${waitedMs} ms, found the decision on record and the act open, and ended the run (${runId})`,
  );
}

/** As soon as the lease of the dead has run out. */
async function takeOver(tape: Tape, runId: string, signal: AbortSignal): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      return (await tape.resumeRun({ runId, leaseOwner: "successor", leaseTtlMs: 60_000 })).leaseEpoch;
    } catch (error) {
      const held = error instanceof TapeError && error.reason === "LEASE_HELD";
      if (!held || waitedMs > patienceMs) throw error;
    }
    await sleep(pauseMs, undefined, { signal });
  }
}

const mostLeft = 100;

/** Scratch runs of self-tests that were interrupted: they would be listed as recoverable for ever. */
export async function checkScratch(store: SelfTestStore, access: string): Promise<Finding> {
  const found = "store.scratch";
  let left: readonly string[];
  try {
    left = await withTape(store, scratchRuns);
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    return untold(found, error.message);
  }
  if (left.length === 0) return ok(found, "none");
  const does = `end ${left.length} scratch runs of interrupted self-tests as CANCELLED`;
  return warn(
    found,
    `${left.length} scratch runs of interrupted self-tests are listed as recoverable`,
    left.map((runId) => `tape cancel ${runId}${access}`),
    {
      does,
      run: () =>
        withTape(store, async (tape) => {
          for (const runId of left) await tape.endRun({ runId, status: "CANCELLED" });
          return `${left.length} ended`;
        }),
    },
  );
}

async function scratchRuns(tape: Tape): Promise<readonly string[]> {
  const { runs } = await tape.listRunsToRecover({ limit: mostLeft });
  return runs
    .filter(({ appName, userId }) => appName === scratch.app && userId === scratch.user)
    .map(({ runId }) => runId);
}

async function withTape<T>({ url, env }: SelfTestStore, use: (tape: Tape) => Promise<T>): Promise<T> {
  const tape = await openTape(url, { migrate: false, reactors: false, environment: env });
  try {
    return await use(tape);
  } finally {
    await tape.close();
  }
}
