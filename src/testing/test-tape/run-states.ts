import { agent, dispatcher, type Scene } from "./scene.ts";

/** The states of a run that the table of rule R10 tells apart, as {@link agent} finds them. */
export const runSituations = [
  "absent",
  "RUNNABLE",
  "RUNNING, lease of an owner without a name",
  "RUNNING, lease expired",
  "RUNNING, own lease",
  "RUNNING, live lease of another",
  "WAITING",
  "COMPENSATING",
  "STUCK",
  "STUCK on an obligation",
  "STUCK on an effect",
  "TERMINAL",
  "FAILED",
  "CANCELLED",
] as const;

/** One of {@link runSituations}. */
export type RunSituation = (typeof runSituations)[number];

/** The gate that a WAITING run waits at. */
export const awaitedGate = "approval";

/** Another owner, whose live lease is in the way. */
export const rival = "rival";

/** Brings a new run into the situation; its id. `t.staleEpoch` is an epoch from before its last change of owner. */
export async function runIn(t: Scene, situation: RunSituation): Promise<string> {
  switch (situation) {
    case "absent":
      return "r-nobody-began-this";
    case "RUNNABLE": {
      const runId = await t.waiting("earlier");
      await t.tape.sendSignal({ runId, gateName: "earlier" });
      return runId;
    }
    case "RUNNING, lease of an owner without a name":
      return t.run({ leaseOwner: "" });
    case "RUNNING, lease expired": {
      const runId = await t.run({ leaseOwner: rival, leaseTtlMs: 2000 });
      await t.clock.advance(2001);
      return runId;
    }
    case "RUNNING, own lease":
      return t.run();
    case "RUNNING, live lease of another":
      return t.run({ leaseOwner: rival });
    case "WAITING":
      return t.waiting(awaitedGate);
    case "COMPENSATING":
      return (await t.undone(2)).runId;
    case "STUCK on an obligation": {
      const { runId, obligations } = await t.undone(2);
      const due = { runId, obligationSeq: obligations[0]?.seq ?? 0 };
      await t.tape.claimObligation({ ...due, claimer: dispatcher });
      await t.tape.resolveObligation({ ...due, status: "STUCK" });
      return runId;
    }
    case "STUCK on an effect": {
      const runId = await t.run();
      const idempotencyKey = await t.unknown(runId);
      await t.tape.recordExternalObservation({ runId, idempotencyKey, resolution: "STUCK" });
      return runId;
    }
    case "STUCK":
    case "TERMINAL":
    case "FAILED":
    case "CANCELLED": {
      const runId = await t.run();
      await t.tape.endRun({ runId, status: situation });
      return runId;
    }
  }
}

/** What GetRun must say of a run in this situation: its status, and who holds its lease. */
export function expectedState(situation: RunSituation): { readonly status: string; readonly leaseOwner: string } {
  const [status = ""] = situation.split(/[ ,]/);
  const owners: Partial<Record<RunSituation, string>> = {
    "RUNNING, lease expired": rival,
    "RUNNING, own lease": agent,
    "RUNNING, live lease of another": rival,
  };
  return { status, leaseOwner: owners[situation] ?? "" };
}
