import type { World } from "./world.ts";

/** The world outside: it remembers every act that was really done, and what was undone. */
export class Ledger {
  readonly #world: World;
  readonly #acts = new Map<string, number>();
  readonly #undone = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Somebody acts. What may not be repeated is never done twice. */
  act(who: string, runId: string, key: string, semantics: string): void {
    const name = nameOf(runId, key);
    const count = (this.#acts.get(name) ?? 0) + 1;
    this.#acts.set(name, count);
    this.#world.tell(() => `** ${who} acts: ${key} of ${runId} (${semantics}), time ${count}`);
    if (semantics === "NON_IDEMPOTENT" && count > 1) {
      this.#world.violated("no-second-dispatch", `${key} of ${runId} was done ${count} times, the last time by ${who}`);
    }
  }

  /** How often it was done. */
  acts(runId: string, key: string): number {
    return this.#acts.get(nameOf(runId, key)) ?? 0;
  }

  /** Somebody undoes an act; doing that twice changes nothing. */
  undo(who: string, runId: string, key: string): void {
    this.#world.tell(() => `** ${who} undoes: ${key} of ${runId}`);
    this.#undone.add(nameOf(runId, key));
  }

  /** Whether it was undone. */
  isUndone(runId: string, key: string): boolean {
    return this.#undone.has(nameOf(runId, key));
  }
}

const nameOf = (runId: string, key: string): string => JSON.stringify([runId, key]);
