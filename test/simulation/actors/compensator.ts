import type { ObligationRecord } from "../../../src/model/obligation.ts";
import { claimMs } from "../audit/run-entries.ts";
import type { Life } from "./actor.ts";
import { promisedAttempts } from "./run-calls.ts";
import type { Stage } from "./stage.ts";

/** One round of a compensator: it claims what is to be undone, undoes it, and says so, unless it dies in between. */
export async function compensatorRound(life: Life, stage: Stage): Promise<void> {
  const wanted = { limit: 3, includePending: true, includeCommittedExpired: true };
  const { obligations } = await life.call({
    method: "ListUnresolvedObligations",
    about: "",
    send: (tape, options) => tape.listUnresolvedObligations(wanted, options),
  });
  for (const obligation of obligations) await undo(life, stage, obligation);
  // Somebody who works on what he should not: he must not be given it.
  const runId = [...stage.begun.values()].at(-1);
  const all = runId === undefined ? [] : [...stage.promises.run(runId).obligations.keys()];
  if (runId !== undefined && all.length > 0 && !life.world.calm) {
    await undo(life, stage, { runId, seq: life.world.random.pick(all), effectKey: "" });
  }
}

async function undo(
  life: Life,
  stage: Stage,
  { runId, seq, effectKey }: Pick<ObligationRecord, "runId" | "seq" | "effectKey">,
): Promise<void> {
  const { promises, ledger, world } = stage;
  const at = { runId, obligationSeq: seq };
  const about = `${seq} of ${runId}`;
  const { acquired } = await life.call({
    method: "ClaimObligation",
    about,
    send: (tape, options) => tape.claimObligation({ ...at, claimer: life.name, leaseTtlMs: claimMs }, options),
    check: () => (answer) => {
      if (!answer.acquired) return;
      promises.durable(
        promises.run(runId).claims.has(`${seq} ${life.name}`),
        `${life.name}'s claim of obligation ${about}`,
      );
    },
  });
  if (!acquired) return;
  await life.crossroads();
  // What is stubborn fails until its attempts are used up, also when nothing goes wrong any more.
  const { attempts = 0 } = promises.run(runId).obligations.get(seq) ?? {};
  const isStubborn = seq % 3 === 0 && attempts < promisedAttempts;
  const way = isStubborn ? "failed" : world.random.pick(["undone", "undone", "undone", "failed", "hopeless"] as const);
  const options = { claimer: life.name, requestId: life.requestId() };
  if (way === "undone" || (world.calm && !isStubborn)) {
    ledger.undo(life.name, runId, effectKey);
    await life.crossroads();
    await life.call({
      method: "ResolveObligation",
      about: `${about}, COMPENSATED`,
      options,
      send: (tape, sent) => tape.resolveObligation({ ...at, status: "COMPENSATED" }, sent),
      check: () => (answer) => {
        const known = promises.run(runId).obligations.get(seq);
        promises.durable(known?.status === answer.status, `obligation ${about}, ${answer.status}`);
      },
    });
    return;
  }
  const nextAttemptAtMs = way === "failed" ? world.scheduler.now + 1000 : 0;
  await life.call({
    method: "RecordObligationAttempt",
    about: `${about}, ${way}`,
    options,
    send: (tape, sent) => tape.recordObligationAttempt({ ...at, error: way, nextAttemptAtMs }, sent),
  });
}
