import { storeChecks, type StoreCheckId } from "../../store/open-store.ts";
import { gcpChecks } from "./gcp/gcp-checks.ts";

/** The checks of this machine, its settings and its store, by id, with what each asks. */
const environmentChecks = {
  "node.version": "Is Node.js new enough?",
  "config.valid": "Would `tape serve` take these settings?",
  "auth.mode": "Who is let in, and can anybody else reach the server?",
  "tls.certificate": "Is the certificate whole, and valid for a while?",
  "store.url": "Does the store URL name a store?",
  "store.open": "Can the store be reached and opened?",
  "store.schema": "Is the schema the one that this version works with?",
  "store.latency": "How long does a round trip to the store take?",
  "store.warnings": "Does the store warn of something when it is opened?",
  "store.scratch": "Has an interrupted self-test left a run behind?",
  "store.recovery": "Does a run survive a process that is killed in the middle of an act?",
} as const;

/** The checks of a journal in use, by id, with what each asks. */
const liveChecks = {
  "server.ready": "Does the server answer, and is it ready?",
  "live.unknown": "Are there effects of which nobody knows whether they happened?",
  "live.stuck": "Are there runs or obligations that cannot go on?",
  "live.recoverable": "Are there runs that nobody has taken over for too long?",
  "live.timers": "Are there timers that should have fired?",
  "live.dispatch": "Are there effects in the outbox that nobody takes?",
  "live.compensation": "Are there compensations that nobody carries out?",
  "live.feed": "How far behind is the feed?",
} as const;

/** The checks of one run, by id, with what each asks. */
const runChecks = {
  "run.state": "How does the run stand?",
  "run.journal": "Is its journal whole and in order?",
  "run.advice": "Does it need a person, and for what?",
} as const;

/** The stable name of a check: `<area>.<what>`. */
export type CheckId =
  | StoreCheckId
  | keyof typeof environmentChecks
  | keyof typeof liveChecks
  | keyof typeof runChecks
  | keyof typeof gcpChecks;

/**
 * Every check there is, by its id, with what it asks. Ids are stable: scripts and alerts name them, so none is renamed or
 * used again for something else. `docs/doctor.md` and `docs/doctor/gcp.md` have a heading for each (a test compares).
 */
export const checks: Readonly<Record<CheckId, string>> = Object.freeze({
  ...environmentChecks,
  ...storeChecks,
  ...liveChecks,
  ...runChecks,
  ...gcpChecks,
});
