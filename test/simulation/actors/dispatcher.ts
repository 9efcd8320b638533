import type { ClaimEffectDispatchResponse, EffectRecord } from "../../../src/model/effect.ts";
import { claimMs } from "../audit/run-entries.ts";
import type { CallSpec } from "../world/network.ts";
import type { Life } from "./actor.ts";
import type { Stage } from "./stage.ts";

/** One round of a dispatcher: it claims what is due, acts, and says how that went, unless it dies in between. */
export async function dispatcherRound(life: Life, stage: Stage): Promise<void> {
  const { random } = life.world;
  const connector = random.pick(["", "", "bank", "mail"]);
  const { effects } = await life.call({
    method: "ListEffectsToDispatch",
    about: connector,
    send: (tape, options) => tape.listEffectsToDispatch({ limit: 3, connector }, options),
  });
  for (const effect of effects) await dispatch(life, stage, effect);
}

async function dispatch(life: Life, stage: Stage, effect: EffectRecord): Promise<void> {
  const { runId, idempotencyKey: key, semantics } = effect;
  const { random } = life.world;
  const { acquired } = await life.call(claim(life, stage, runId, key));
  if (!acquired) return;
  if (random.chance(0.2)) await life.call(claim(life, stage, runId, key));
  await life.crossroads();
  const way = random.pick(["acts", "acts", "acts", "acts-unsure", "unsure", "busy", "refused"] as const);
  if (way === "acts" || way === "acts-unsure") stage.ledger.act(life.name, runId, key, semantics);
  await life.crossroads();
  if (random.chance(0.1)) await life.sleep(2 * claimMs);
  const options = { claimer: life.name, requestId: life.requestId() };
  if (way === "acts-unsure" || way === "unsure" || way === "busy") {
    const nextDispatchAtMs = way === "busy" ? life.world.scheduler.now + 1000 : 0;
    await life.call({
      method: "RecordDispatchAttempt",
      about: `${key} of ${runId}, ${way}`,
      options,
      send: (tape, sent) =>
        tape.recordDispatchAttempt({ runId, idempotencyKey: key, error: way, nextDispatchAtMs }, sent),
    });
    return;
  }
  const externalRef = random.chance(0.5) ? `x-${key}` : "";
  const resolution = way === "acts" ? "CONFIRMED" : "FAILED";
  await life.call({
    method: "RecordExternalObservation",
    about: `${key} of ${runId}, ${resolution}`,
    options,
    send: (tape, sent) =>
      tape.recordExternalObservation(
        { runId, idempotencyKey: key, resolution, externalRef, responseJson: `"by ${life.name}"` },
        sent,
      ),
    check: () => (answer) => {
      const known = stage.promises.run(runId).effects.get(key);
      stage.promises.durable(known?.status === answer.status, `effect ${key} of ${runId}, ${answer.status}`);
    },
  });
}

function claim(life: Life, stage: Stage, runId: string, key: string): CallSpec<ClaimEffectDispatchResponse> {
  const claimer = life.name;
  return {
    method: "ClaimEffectDispatch",
    about: `${key} of ${runId}`,
    send: (tape, options) =>
      tape.claimEffectDispatch({ runId, idempotencyKey: key, claimer, leaseTtlMs: claimMs }, options),
    check: () => {
      const notOlder = stage.promises.notOlderEffect(runId, key);
      return ({ acquired, effect }) => {
        notOlder(effect.status);
        const { claims } = stage.promises.run(runId);
        if (acquired)
          stage.promises.durable(claims.has(`${key} ${claimer}`), `${claimer}'s claim of ${key} of ${runId}`);
      };
    },
  };
}
