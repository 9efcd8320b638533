import { randomUUID } from "node:crypto";
import { seededRandom } from "../../src/testing/random.ts";
import type { Verdict } from "./checker.ts";
import { Summary } from "./report.ts";
import { playRound, type History } from "./round.ts";
import { Served, type ServedOptions } from "./servers.ts";
import { judge } from "./verdicts.ts";
import { objectKinds } from "./workload/player.ts";

/** How much is to be done on real servers. */
export interface CampaignOptions extends ServedOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly objectsOfEach: number;
  readonly callsOfEach: number;
  /** The mean pause between two faults; absent: nothing goes wrong. */
  readonly troubleEveryMs?: number;
  readonly onRound?: (round: number) => void;
  readonly onViolation: (history: History, verdict: Extract<Verdict<unknown>, { kind: "violation" }>) => void;
}

/** What a campaign came to. */
export interface Outcome {
  readonly summary: Summary;
  readonly faults: ReadonlyMap<string, number>;
  /** Answers that no rule knows. */
  readonly strange: readonly string[];
  /** Histories that were not judged: something expires in them, and the machine's clock was corrected meanwhile. */
  readonly unjudged: number;
}

/** What the slack of the recorder covers, in milliseconds, with some to spare. */
const mostCorrectedMs = 15;

/** Plays rounds on real servers and judges every history. Errors: SERVER_UNAVAILABLE when one of them does not start. */
export async function campaign(options: CampaignOptions): Promise<Outcome> {
  const random = seededRandom(options.seed);
  await using served = await Served.open(options);
  const over = new AbortController();
  const { troubleEveryMs } = options;
  const trouble = troubleEveryMs === undefined ? undefined : served.trouble(random.fork(), troubleEveryMs, over.signal);
  // Told when it is awaited, at the end; what is left of the rounds would show nothing.
  const broken = new AbortController();
  trouble?.catch(() => broken.abort());
  const summary = new Summary();
  const strange: string[] = [];
  let unjudged = 0;
  // Not of the seed: on a store that has been used before, the names must be new ones.
  const mark = randomUUID().slice(0, 8);
  try {
    for (let round = 1; round <= options.rounds && !broken.signal.aborted; round += 1) {
      const { objectsOfEach, callsOfEach } = options;
      const began = Date.now() - performance.now();
      const histories = await playRound(
        served.world,
        {
          kinds: objectKinds,
          objectsOfEach,
          callsOfEach,
          prefix: `lin-${mark}-${round}`,
          onStrangeAnswer: (what) => strange.push(what),
        },
        random.fork(),
      );
      const isCorrected = Math.abs(Date.now() - performance.now() - began) > mostCorrectedMs;
      for (const history of histories) {
        if (isCorrected && history.kind.isTimed) {
          unjudged += 1;
          continue;
        }
        const verdict = judge(history);
        summary.add(history, verdict);
        if (verdict.kind === "violation") options.onViolation(history, verdict);
      }
      options.onRound?.(round);
    }
  } finally {
    over.abort();
    await trouble;
  }
  return { summary, faults: served.faults, strange, unjudged };
}
