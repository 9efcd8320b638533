import type { Auditor, Commit } from "../audit/auditor.ts";
import type { RunHead } from "../audit/run-record.ts";
import type { World } from "../world/world.ts";

/** Caps of a run; 0: none. */
export interface Caps {
  readonly tokenCap: number;
  readonly usdMicro: number;
}

const none: Caps = { tokenCap: 0, usdMicro: 0 };

/** Which caps every run ever had, in order. */
export class CapsAuditor {
  readonly #caps = new Map<string, Caps[]>();
  readonly #commits = new Map<string, number>();
  /** Run and caps of every SetBudget that was sent. */
  readonly #asked = new Set<string>();
  readonly #world: World;

  constructor(world: World, auditor: Auditor) {
    this.#world = world;
    auditor.alsoRead.add((commit) => {
      this.#read(commit);
    });
  }

  /** Somebody is about to set these caps. */
  ask(runId: string, caps: Caps): void {
    this.#asked.add(nameOf(runId, caps));
  }

  /** All that a run ever had; the last one is now. */
  of(runId: string): readonly Caps[] {
    return this.#caps.get(runId) ?? [];
  }

  /** How many commits a run has had. */
  commitsOf(runId: string): number {
    return this.#commits.get(runId) ?? 0;
  }

  /** Whether these were the caps at some moment since a run had had so many. */
  heldSince(runId: string, count: number, { tokenCap, usdMicro }: Caps): boolean {
    const known = this.of(runId);
    const held = [known[count - 1] ?? none, ...known.slice(count)];
    return held.some((caps) => caps.tokenCap === tokenCap && caps.usdMicro === usdMicro);
  }

  #read({ kind, head }: Commit): void {
    if (kind !== "run") return;
    const { run_id: runId, budget } = head as RunHead;
    const known = this.#caps.get(runId) ?? [none];
    this.#commits.set(runId, this.commitsOf(runId) + 1);
    this.#caps.set(runId, known);
    const last = known.at(-1);
    if (last?.tokenCap !== budget.token_cap || last.usdMicro !== budget.usd_cap) {
      const caps = { tokenCap: budget.token_cap, usdMicro: budget.usd_cap };
      known.push(caps);
      if (this.#asked.has(nameOf(runId, caps))) return;
      this.#world.violated("caps-hold", `${runId} has caps that nobody has set: ${JSON.stringify(caps)}`);
    }
  }
}

const nameOf = (runId: string, { tokenCap, usdMicro }: Caps): string => JSON.stringify([runId, tokenCap, usdMicro]);
