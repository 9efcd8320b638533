import { setTimeout as sleep } from "node:timers/promises";
import { AgentProcess, type AgentProgram } from "./agent-process.ts";
import type { Assignment, PlannedRun, RunReport, WorldKind } from "./assignment.ts";
import { allPoints, type CrashPoint, crashPoints, latePoint } from "./crash-point.ts";
import type { Place, System } from "./systems/system.ts";
import { counted, emptyTally, type Tally } from "./tally.ts";
import { World } from "./world.ts";

/** What one system did in one world, by point. */
export interface Trial {
  readonly system: string;
  readonly version: string;
  readonly world: WorldKind;
  readonly points: Readonly<Record<CrashPoint, Tally>>;
  readonly seconds: number;
}

/** How much is tried. */
export interface TrialOptions {
  /** Over all points but the late one, which gets as many as each of the others. */
  readonly runs: number;
  /** Runs in one process, which are killed together. */
  readonly batch: number;
}

/** Nothing in a batch takes longer, but on a machine that is far too busy. */
const patienceMs = 180_000;

/** Kills the agents of all runs at their points, lets the system recover, and counts what happened outside. */
export async function runTrial(system: System, kind: WorldKind, { runs, batch }: TrialOptions): Promise<Trial> {
  const started = performance.now();
  const points = Object.fromEntries(allPoints.map((point) => [point, emptyTally])) as Record<CrashPoint, Tally>;
  await using world = await World.open(kind);
  await using host = await system.open(kind);
  const plan = planned(runs);
  for (let from = 0; from < plan.length; from += batch) {
    const part = plan.slice(from, from + batch);
    await using place = await host.newPlace();
    const ends = await killAndRecover(world, place, part);
    for (const run of part) {
      const end = ends.get(run.id);
      if (end === undefined) throw new Error(`nothing was said of ${run.id}`);
      points[run.point] = counted(points[run.point], world.record(run.id), end.end, end.recoveryMs);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  return { system: system.name, version: system.version, world: kind, points, seconds };
}

/** The points in turn, so that each batch has some of all. */
function planned(runs: number): readonly PlannedRun[] {
  const late = Math.ceil(runs / crashPoints.length);
  const turns: readonly CrashPoint[] = crashPoints;
  const atPoints = Array.from({ length: runs }, (_, i): CrashPoint => turns[i % turns.length] ?? "acted");
  const points = [...atPoints, ...Array.from({ length: late }, (): CrashPoint => latePoint)];
  return points.map((point, i) => ({ id: `run-${i}`, point }));
}

interface Recovered extends RunReport {
  readonly recoveryMs: number;
}

async function killAndRecover(
  world: World,
  place: Place,
  runs: readonly PlannedRun[],
): Promise<ReadonlyMap<string, Recovered>> {
  const { program } = place;
  const assignment = { world: world.kind, worldUrl: world.url, runs };
  await killAllAtTheirPoints(world, program, { ...assignment, phase: "begin" });
  const killed = performance.now();

  const ends = new Map<string, Recovered>();
  let allSaid = (): void => undefined;
  const everything = new Promise<void>((resolve) => {
    allSaid = resolve;
  });
  const agent = new AgentProcess(program, { ...assignment, phase: "recover" }, (report) => {
    ends.set(report.run, { ...report, recoveryMs: performance.now() - killed });
    if (ends.size === runs.length) allSaid();
  });
  try {
    await Promise.race([everything, whenTooLong("the recovery", () => missing(runs, ends)), agent.failed()]);
  } catch (error) {
    // What was said last may arrive after the end of the process that said it.
    if (ends.size < runs.length) throw error;
  } finally {
    await agent.kill();
  }
  world.deliverLate();
  return ends;
}

async function killAllAtTheirPoints(world: World, program: AgentProgram, assignment: Assignment): Promise<void> {
  const parked = world.parked(assignment.runs);
  let tooEarly = (_report: RunReport): void => undefined;
  const escaped = new Promise<never>((_, reject) => {
    tooEarly = ({ run }) => reject(new Error(`${run} came to its end, although its agent was to be killed before`));
  });
  const agent = new AgentProcess(program, assignment, (report) => tooEarly(report));
  const tooLong = whenTooLong("coming to the points", () => world.stillAwaited());
  try {
    await Promise.race([parked, escaped, tooLong, agent.failed()]);
  } finally {
    await agent.kill();
  }
}

async function whenTooLong(what: string, missingOnes: () => readonly string[]): Promise<never> {
  await sleep(patienceMs, undefined, { ref: false });
  throw new Error(`${what} took more than ${patienceMs / 1000} s; still missing: ${missingOnes().join(", ")}`);
}

const missing = (runs: readonly PlannedRun[], ends: ReadonlyMap<string, Recovered>): readonly string[] =>
  runs.filter(({ id }) => !ends.has(id)).map(({ id, point }) => `${id} (${point})`);
