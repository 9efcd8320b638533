import { type CaseOutcome, playEveryStep } from "./every-step.ts";
import { describeKill, type Kill } from "./kill.ts";
import { type Colours, openNarrator } from "./narrator.ts";
import { playScene, type SceneOptions } from "./scene.ts";
import { stepTable } from "./step-table.ts";

/** What the demo may be asked for. */
export interface CrashDemoOptions extends Pick<SceneOptions, "storeUrl" | "keep" | "env" | "signal"> {
  /** Prints one JSON document at the end, and nothing else. */
  readonly json: boolean;
  /** To standard output. */
  readonly write: (line: string) => void;
  readonly colours: Colours;
}

/** The three worst moments, one for each process. */
const worstMoments: readonly Kill[] = [
  { victim: "agent", role: "agent", when: "after", call: "bank.sweep" },
  { victim: "server", role: "agent", when: "during", call: "recordDecision 1" },
  { victim: "dispatcher", role: "dispatcher", when: "after", call: "bank.wire" },
];

/** Plays the story with three kills and tells it. Resolves with whether everything promised was proved. */
export async function runCrashDemo({ write, colours, json, ...options }: CrashDemoOptions): Promise<boolean> {
  const say = json ? (): void => undefined : write;
  say(colours.bold("A treasury agent sweeps cash and pays an invoice. Every process but the bank is killed once."));
  say("");
  const timeline: { readonly who: string; readonly what: string }[] = [];
  const narrator = openNarrator(say, colours);
  const { checks, tookMs, folder } = await playScene({
    ...options,
    kills: worstMoments,
    bankLosesAnswer: false,
    tell: (who, what) => {
      timeline.push({ who, what });
      narrator.tell(who, what);
    },
  });
  const ok = checks.every(({ holds }) => holds);
  say("");
  narrator.prove(checks);
  if (options.keep) say(`  files are in ${folder}`);
  say("");
  say(ok ? colours.bold(colours.green("one wire")) : colours.bold(colours.red("not proved")));
  if (json) write(JSON.stringify({ ok, tookMs: Math.round(tookMs), checks, timeline }));
  return ok;
}

/** Options of {@link runEveryStep}. */
export interface EveryStepDemoOptions extends CrashDemoOptions {
  readonly only: string;
  readonly parallel: number;
  /** Told now and then how far it is, and at once what is broken. */
  readonly progress: (line: string) => void;
}

const storiesPerProgress = 10;

/** Plays the story once for every kill there can be, and prints the table. Resolves with whether all were proved. */
export async function runEveryStep(options: EveryStepDemoOptions): Promise<boolean> {
  const { write, colours, json } = options;
  const start = performance.now();
  const outcomes = await playEveryStep({
    ...options,
    progress: (done, all, { kill, problem }) => {
      if (problem !== "") options.progress(`BROKEN: ${describeKill(kill)}`);
      if (done % storiesPerProgress === 0 && done < all) options.progress(`${done} of ${all} kill points done`);
    },
  });
  const broken = outcomes.filter(({ problem }) => problem !== "");
  const ok = broken.length === 0 && outcomes.length > 0;
  const tookMs = performance.now() - start;
  if (json) {
    write(JSON.stringify({ ok, tookMs: Math.round(tookMs), cases: outcomes.map(flatten) }));
    return ok;
  }
  for (const line of stepTable(outcomes, colours)) write(line);
  for (const { kill, problem } of broken) write(`${colours.red(describeKill(kill))}\n    ${problem}`);
  const seconds = (tookMs / 1000).toFixed(0);
  const count = `${outcomes.length - broken.length} of ${outcomes.length} kill points proved`;
  const paint = ok ? colours.green : colours.red;
  write(paint(`${count} in ${seconds} s: in each, one sweep, one wire, no model call made again, budget exact`));
  return ok;
}

function flatten({ kill, bankLosesAnswer, problem, tookMs }: CaseOutcome): object {
  return { ...kill, bankLosesAnswer, ok: problem === "", problem, tookMs: Math.round(tookMs) };
}
