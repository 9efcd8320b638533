import { describeKill, type Kill } from "./kill.ts";
import { playScene, type SceneOptions } from "./scene.ts";
import type { PassedPoint } from "./stage.ts";

/** One story to be played with one kill. */
interface Case {
  readonly kill: Kill;
  /** The bank books the first wire and its answer is lost. */
  readonly bankLosesAnswer: boolean;
}

/** How it went. */
export interface CaseOutcome extends Case {
  /** What is wrong, in words; empty when everything was proved. */
  readonly problem: string;
  readonly tookMs: number;
}

/** Options of {@link playEveryStep}. */
export interface EveryStepOptions extends Pick<SceneOptions, "storeUrl" | "database" | "keep" | "env" | "signal"> {
  /** Only the kills whose description has this text. */
  readonly only: string;
  /** Stories played at the same time. */
  readonly parallel: number;
  readonly progress: (done: number, all: number, outcome: CaseOutcome) => void;
}

/**
 * Finds every step of every program by playing the story without a kill, then plays it again for each: with the
 * program killed before and after the step, and with the server killed before the call arrives and before its answer
 * leaves. (A server killed after a call is a server killed before the next one.) Where the database may be killed, also
 * with that dead before the call, cut off in it, and gone with the answer to its commit.
 */
export async function playEveryStep(options: EveryStepOptions): Promise<readonly CaseOutcome[]> {
  const quiet = { ...options, tell: () => undefined };
  // One after the other: in a store that they share, the one's poll would find the other's effects.
  const all = [...(await rehearse(false, quiet)), ...(await rehearse(true, quiet))];
  const cases = all.filter(({ kill }) => describeKill(kill).includes(options.only));

  const outcomes: CaseOutcome[] = [];
  const work = async (rest: Iterable<Case>): Promise<void> => {
    for (const one of rest) {
      const outcome = await playCase(one, quiet);
      options.signal.throwIfAborted();
      outcomes.push(outcome);
      options.progress(outcomes.length, cases.length, outcome);
    }
  };
  const ofTape = cases.filter(({ kill }) => kill.victim !== "database").values();
  await Promise.all(Array.from({ length: options.parallel }, () => work(ofTape)));
  // One after the other: the database is the same for all, and dies at a place of one story.
  await work(cases.filter(({ kill }) => kill.victim === "database"));
  return cases.map((one) => outcomes.find(({ kill }) => kill === one.kill)).filter((one) => one !== undefined);
}

/** Plays without a kill, and finds every kill there can be. */
async function rehearse(
  bankLosesAnswer: boolean,
  options: Omit<SceneOptions, "kills" | "bankLosesAnswer">,
): Promise<readonly Case[]> {
  const { checks, points } = await playScene({ ...options, kills: [], bankLosesAnswer });
  const broken = checks.find(({ holds }) => !holds);
  if (broken !== undefined) throw new Error(`not even without a kill: ${broken.claim}; found: ${broken.found}`);
  const cases = casesOf(points, bankLosesAnswer);
  return options.database === null ? cases.filter(({ kill }) => kill.victim !== "database") : cases;
}

async function playCase(
  one: Case,
  options: Pick<SceneOptions, "storeUrl" | "database" | "keep" | "env" | "signal">,
): Promise<CaseOutcome> {
  const told: string[] = [];
  const start = performance.now();
  const outcome = (problem: string): CaseOutcome => ({
    ...one,
    problem: problem === "" ? "" : [problem, ...told].join("\n    "),
    tookMs: performance.now() - start,
  });
  try {
    const { kill, bankLosesAnswer } = one;
    const tell = (who: string, what: string): void => void told.push(`${who}: ${what}`);
    const { checks } = await playScene({ ...options, kills: [kill], bankLosesAnswer, tell });
    return outcome(
      checks
        .filter(({ holds }) => !holds)
        .map(({ claim, found }) => `not so: ${claim}; found: ${found}`)
        .join("; "),
    );
  } catch (error) {
    return outcome(String(error));
  }
}

/** When the bank's answer is lost only the dispatcher's way differs; the agent's is the same. */
function casesOf(points: readonly PassedPoint[], bankLosesAnswer: boolean): readonly Case[] {
  const kills = points
    .filter(({ role }) => role === "dispatcher" || !bankLosesAnswer)
    .toSorted((a, b) => a.role.localeCompare(b.role))
    .flatMap(({ role, when, call }): readonly Kill[] => {
      const own: Kill = { victim: role, role, when, call };
      if (when === "after" || isOutside(call)) return [own];
      return [
        own,
        { ...own, victim: "server" },
        { ...own, victim: "server", when: "during" },
        { ...own, victim: "database" },
        { ...own, victim: "database", when: "during" },
        { ...own, victim: "database", when: "after" },
      ];
    });
  const unique = new Map(kills.map((kill) => [describeKill(kill), kill]));
  return [...unique.values()].map((kill) => ({ kill, bankLosesAnswer }));
}

/** Whether a call goes to the bank or the model, and not to the server. */
function isOutside(call: string): boolean {
  return call.includes(".");
}
