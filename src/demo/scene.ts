import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gatherEvidence } from "./evidence.ts";
import { describeKill } from "./kill.ts";
import { type Check, prove } from "./proof.ts";
import { type PassedPoint, Stage, type StageOptions } from "./stage.ts";

/** One play of the story. */
export interface SceneOptions extends Pick<StageOptions, "kills" | "bankLosesAnswer" | "database" | "env" | "tell"> {
  /** Where the journal is kept; `null`: in a SQLite file beside the ledger. */
  readonly storeUrl: string | null;
  /** Leaves the files behind. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

/** How it went. */
export interface SceneResult {
  readonly checks: readonly Check[];
  readonly points: readonly PassedPoint[];
  readonly tookMs: number;
  /** Where ledger, model log and, by default, the journal are (or were). */
  readonly folder: string;
}

const longestMs = 60_000;

/**
 * Plays the story once, with these kills, in a folder of its own, and proves the outcome. Rejects when a process fails
 * by itself, when it takes longer than a minute, or when the signal fires; processes and files are gone either way.
 */
export async function playScene(options: SceneOptions): Promise<SceneResult> {
  const start = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "tape-demo-"));
  const files = { ledgerFile: join(folder, "bank-ledger.jsonl"), modelLog: join(folder, "model-calls.jsonl") };
  const invocation = `close-of-day-${randomBytes(4).toString("hex")}`;
  const storeUrl = options.storeUrl ?? `sqlite:${join(folder, "tape.db")}`;
  const stage = await Stage.open({ ...options, storeUrl, folder, ...files, invocation });
  const late = AbortSignal.timeout(longestMs);
  const ending = AbortSignal.any([options.signal, late]);
  const stop = (): void => void stage.close();
  ending.addEventListener("abort", stop, { once: true });
  try {
    await stage.play();
    options.signal.throwIfAborted();
    if (late.aborted) throw new Error(`not over after ${longestMs / 1000} s`);
    const evidence = await gatherEvidence({ serverUrl: await stage.serverUrl(), invocation, ...files });
    const reached = stage.pendingKills.map((kill) => ({
      claim: `there was a kill: ${describeKill(kill)}`,
      holds: false,
      found: "no program came to this place",
    }));
    return {
      checks: [...prove(evidence), ...reached],
      points: stage.points,
      tookMs: performance.now() - start,
      folder,
    };
  } finally {
    ending.removeEventListener("abort", stop);
    await stage.close();
    if (!options.keep) await rm(folder, { recursive: true, force: true });
  }
}
