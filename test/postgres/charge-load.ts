import assert from "node:assert/strict";
import { TapeError } from "../../src/errors.ts";
import type { Tape } from "../../src/model/tape.ts";
import { pause, within } from "../../src/testing/test-store/material.ts";

const patienceMs = 60_000;

/**
 * Callers that charge runs, each charge with an amount of its own: once in the journal means written once. What fails is
 * tried again under its request id for as long as it takes.
 */
export class ChargeLoad {
  readonly #runs = new Map<string, Set<number>>();
  readonly #working: Promise<unknown>;
  #isOver = false;
  #amount = 0;
  /** Charges that were answered. */
  answered = 0;
  /** Calls that were told UNAVAILABLE. */
  refused = 0;

  /** Each caller has a run of its own, and all of them share one, through all tapes. */
  constructor(tapes: readonly Tape[], callersOfOne: number) {
    const callers = tapes.flatMap((tape, t) =>
      Array.from({ length: callersOfOne }, (_, c) => this.#call(tape, `run ${t} ${c}`)),
    );
    this.#working = Promise.all(callers);
    this.#working.catch(() => undefined);
  }

  async progress(answers: number): Promise<void> {
    const goal = this.answered + answers;
    const reached = async (): Promise<void> => {
      while (this.answered < goal) await pause(2);
    };
    await Promise.race([within(patienceMs, "progress", reached()), this.#working]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  /** Compares what was answered with the journal. */
  async verify(tape: Tape): Promise<void> {
    for (const [runId, amounts] of this.#runs) {
      await tape.endRun({ runId, status: "TERMINAL" });
      const charged: number[] = [];
      let seq = 0;
      for await (const entry of tape.subscribeRun({ runId })) {
        seq += 1;
        assert.equal(entry.seq, seq);
        const payload = JSON.parse(entry.payloadJson) as Readonly<Record<string, unknown>>;
        if (entry.kind === "budget") charged.push(Number(payload["tokens"]));
      }
      assert.deepEqual(
        charged.toSorted((a, b) => a - b),
        [...amounts].toSorted((a, b) => a - b),
      );
    }
  }

  async #call(tape: Tape, own: string): Promise<void> {
    const runs = await Promise.all([own, "shared"].map((name) => this.#begin(tape, name)));
    while (!this.#isOver) {
      for (const runId of runs) {
        this.#amount += 1;
        const tokens = this.#amount;
        await this.#insist(() => tape.chargeBudget({ runId, tokens }, { requestId: `charge-${tokens}` }));
        this.#runs.get(runId)?.add(tokens);
        this.answered += 1;
      }
    }
  }

  async #begin(tape: Tape, invocationId: string): Promise<string> {
    const { runId } = await this.#insist(() => tape.beginRun({ appName: "load", invocationId }));
    if (!this.#runs.has(runId)) this.#runs.set(runId, new Set());
    return runId;
  }

  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await within(patienceMs, "a call", call());
      } catch (error) {
        if (!(error instanceof TapeError) || error.code !== "UNAVAILABLE") throw error;
        this.refused += 1;
        await pause(5);
      }
    }
  }
}
