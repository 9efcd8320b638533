import { type CaseOutcome, playEveryStep } from "./every-step.ts";
import { openDemoStore } from "./demo-store.ts";
import { describeKill, type Kill } from "./kill.ts";
import { type Colours, openNarrator } from "./narrator.ts";
import { playScene, type SceneOptions } from "./scene.ts";
import { stepTable } from "./step-table.ts";

/** What the demo may be asked for. */
export interface CrashDemoOptions extends Pick<SceneOptions, "storeUrl" | "keep" | "env" | "signal"> {
  /** Kills Tape's processes only, where the journal is in a database whose server would be killed too. */
  readonly spareDatabase: boolean;
  /** Prints one JSON document at the end, and nothing else. */
  readonly json: boolean;
  /** To standard output. */
  readonly write: (line: string) => void;
  readonly colours: Colours;
}

/** The worst moments, one for each process. */
const worstMoments: readonly Kill[] = [
  { victim: "agent", role: "agent", when: "after", call: "bank.sweep" },
  { victim: "server", role: "agent", when: "during", call: "recordDecision 1" },
  { victim: "dispatcher", role: "dispatcher", when: "after", call: "bank.wire" },
];
const worstForDatabase: Kill = { victim: "database", role: "agent", when: "after", call: "recordDecision 2" };

/** Plays the story with a kill for each process and tells it. Resolves with whether everything promised was proved. */
export async function runCrashDemo(options: CrashDemoOptions): Promise<boolean> {
  return withStore(options, (prepared) => tellStory(prepared));
}

async function tellStory({ write, colours, json, ...options }: Prepared): Promise<boolean> {
  const say = json ? (): void => undefined : write;
  say(colours.bold("A treasury agent sweeps cash and pays an invoice. Every process but the bank is killed once."));
  say("");
  const timeline: { readonly who: string; readonly what: string }[] = [];
  const narrator = openNarrator(say, colours);
  const { checks, tookMs, folder } = await playScene({
    ...options,
    kills: options.database === null ? worstMoments : [...worstMoments, worstForDatabase],
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
  return withStore(options, (prepared) => tellEveryStep({ ...options, ...prepared }));
}

async function tellEveryStep(options: EveryStepDemoOptions & Prepared): Promise<boolean> {
  const { write, colours, json } = options;
  const start = performance.now();
  const finished: Kill[] = [];
  const outcomes = await playEveryStep({
    ...options,
    progress: (done, all, { kill, problem }) => {
      finished.push(kill);
      if (problem !== "") options.progress(`BROKEN: ${describeKill(kill)}`);
      if (done % storiesPerProgress === 0 && done < all)
        options.progress(`${done} of ${all} kill points done${ofWhom(finished, options)}`);
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
  const proved = outcomes.filter(({ problem }) => problem === "").map(({ kill }) => kill);
  const count = `${proved.length} of ${outcomes.length} kill points proved${ofWhom(proved, options)}`;
  const paint = ok ? colours.green : colours.red;
  write(paint(`${count} in ${seconds} s: in each, one sweep, one wire, no model call made again, budget exact`));
  return ok;
}

/** How many of these kills met Tape and how many the database, where that is killed at all. */
function ofWhom(kills: readonly Kill[], { database }: Prepared): string {
  const ofDatabase = kills.filter(({ victim }) => victim === "database").length;
  return database === null ? "" : ` (${kills.length - ofDatabase} of Tape, ${ofDatabase} of the database)`;
}

type Prepared = CrashDemoOptions & Pick<SceneOptions, "database">;

/** Whatever happens meanwhile, a database that was killed runs afterwards. */
async function withStore(options: CrashDemoOptions, play: (prepared: Prepared) => Promise<boolean>): Promise<boolean> {
  const store = await openDemoStore(options);
  try {
    return await play({ ...options, storeUrl: store.storeUrl, database: store.database });
  } finally {
    await store.close();
  }
}

function flatten({ kill, bankLosesAnswer, problem, tookMs }: CaseOutcome): object {
  return { ...kill, bankLosesAnswer, ok: problem === "", problem, tookMs: Math.round(tookMs) };
}
