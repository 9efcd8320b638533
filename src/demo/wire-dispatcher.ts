import { type EffectRecord, type Tape, TapeError } from "../client/index.ts";
import type { Bank } from "./bank-client.ts";
import { numberField, parseObject, textField } from "./json-lines.ts";

/** What the dispatcher works with. */
export interface WireDispatcherOptions {
  readonly tape: Tape;
  readonly bank: Bank;
  /** Which effects are its own. */
  readonly connector: string;
  /** Names this process. */
  readonly claimer: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Carries out wires that agents ordered, and finds out what became of those whose answer was lost. It runs until the
 * signal fires. Kill it anywhere: a claim that nobody renews makes the effect UNKNOWN, and an UNKNOWN wire is never
 * sent again, it is looked up on the bank's statement.
 */
export async function runWireDispatcher(options: WireDispatcherOptions): Promise<void> {
  const { tape, bank, connector, claimer, say, signal } = options;

  while (!signal.aborted) {
    try {
      const unknown = await tape.listPendingEffects({ includeUnknown: true }, { signal });
      for (const effect of unknown.effects.filter((one) => one.connector === connector)) await lookUp(effect);
      const due = await tape.listEffectsToDispatch({ connector }, { signal });
      for (const effect of due.effects) await dispatch(effect);
    } catch (error) {
      if (!signal.aborted) say(`goes on after ${error instanceof TapeError ? error.reason : String(error)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async function dispatch({ runId, idempotencyKey }: EffectRecord): Promise<void> {
    const { acquired, effect } = await tape.claimEffectDispatch({ runId, idempotencyKey, claimer, leaseTtlMs: 1_000 });
    if (!acquired) return;
    say(`claims the wire ${effect.businessKey}`);
    const order = parseObject(effect.requestJson);
    const transfer = { cents: numberField(order, "cents"), account: textField(order, "account") };
    try {
      const booking = await bank.wire(transfer, effect.businessKey);
      await observe(effect, "CONFIRMED", booking.ref, booking);
      say(`wire ${booking.ref} is confirmed`);
    } catch (error) {
      if (error instanceof TapeError) throw error;
      say("the bank's answer is lost: the wire is UNKNOWN and will not be sent again");
      await tape.recordDispatchAttempt({ runId, idempotencyKey, error: String(error) }, { claimer });
    }
  }

  async function lookUp(effect: EffectRecord): Promise<void> {
    const [wire, second] = await bank.findWires(effect.businessKey);
    say(
      `finds ${effect.businessKey} UNKNOWN, asks the bank: ${wire === undefined ? "not there" : `it is ${wire.ref}`}`,
    );
    if (wire === undefined) await observe(effect, "ABSENT", "", {});
    else await observe(effect, second === undefined ? "CONFIRMED" : "DUPLICATE", wire.ref, wire);
  }

  async function observe(
    { runId, idempotencyKey }: EffectRecord,
    resolution: "CONFIRMED" | "ABSENT" | "DUPLICATE",
    externalRef: string,
    response: object,
  ): Promise<void> {
    await tape.recordExternalObservation({
      runId,
      idempotencyKey,
      resolution,
      externalRef,
      responseJson: JSON.stringify(response),
      compensateOnDuplicateKind: "recall-wire",
    });
  }
}
