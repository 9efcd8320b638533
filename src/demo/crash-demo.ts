import { type CaseOutcome, playEveryStep } from "./every-step.ts";
import { describeKill, type Kill } from "./kill.ts";
import { type Colors, openNarrator } from "./narrator.ts";
import { playScene } from "./scene.ts";
import { stepTable } from "./step-table.ts";

/** What the demo may be asked for. */
export interface CrashDemoOptions {
  /** Where the journal is kept; `null`: in a temporary SQLite file. */
  readonly storeUrl: string | null;
  /** Leaves the files behind and says where. */
  readonly keep: boolean;
  /** Prints one JSON document at the end, and nothing else. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** To standard output. */
  readonly write: (line: string) => void;
  readonly colors: Colors;
}

/** The three worst moments, one for each process. */
const worstMoments: readonly Kill[] = [
  { victim: "agent", role: "agent", when: "after", call: "bank.sweep" },
  { victim: "server", role: "agent", when: "during", call: "recordDecision 1" },
  { victim: "dispatcher", role: "dispatcher", when: "after", call: "bank.wire" },
];

/** Plays the story with three kills and tells it. Resolves with whether everything promised was proved. */
export async function runCrashDemo({ write, colors, json, ...options }: CrashDemoOptions): Promise<boolean> {
  const say = json ? (): void => undefined : write;
  say(colors.bold("A treasury agent sweeps cash and pays an invoice. Every process but the bank is killed once."));
  say("");
  const timeline: { readonly who: string; readonly what: string }[] = [];
  const narrator = openNarrator(say, colors);
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
  say(ok ? colors.bold(colors.green("one wire")) : colors.bold(colors.red("not proved")));
  if (json) write(JSON.stringify({ ok, tookMs: Math.round(tookMs), checks, timeline }));
  return ok;
}

/** Options of {@link runEveryStep}. */
export interface EveryStepDemoOptions extends CrashDemoOptions {
  readonly only: string;
  readonly parallel: number;
  /** Told after each story; overwritten by the next. */
  readonly progress: (line: string) => void;
}

/** Plays the story once for every kill there can be, and prints the table. Resolves with whether all were proved. */
export async function runEveryStep(options: EveryStepDemoOptions): Promise<boolean> {
  const { write, colors, json } = options;
  const start = performance.now();
  const outcomes = await playEveryStep({
    ...options,
    progress: (done, all, outcome) => {
      options.progress(`${done} of ${all}: ${describeKill(outcome.kill)}: ${outcome.problem === "" ? "ok" : "BROKEN"}`);
    },
  });
  const broken = outcomes.filter(({ problem }) => problem !== "");
  const ok = broken.length === 0 && outcomes.length > 0;
  const tookMs = performance.now() - start;
  if (json) {
    write(JSON.stringify({ ok, tookMs: Math.round(tookMs), cases: outcomes.map(flatten) }));
    return ok;
  }
  for (const line of stepTable(outcomes, colors)) write(line);
  for (const { kill, problem } of broken) write(`${colors.red(describeKill(kill))}\n    ${problem}`);
  const seconds = (tookMs / 1000).toFixed(0);
  const count = `${outcomes.length - broken.length} of ${outcomes.length} kill points proved`;
  const paint = ok ? colors.green : colors.red;
  write(paint(`${count} in ${seconds} s: in each, one sweep, one wire, no model call made again, budget exact`));
  return ok;
}

function flatten({ kill, bankLosesAnswer, problem, tookMs }: CaseOutcome): object {
  return { ...kill, bankLosesAnswer, ok: problem === "", problem, tookMs: Math.round(tookMs) };
}
