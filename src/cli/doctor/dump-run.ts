import { createHash } from "node:crypto";
import type { RunReport } from "../run-report.ts";
import { runJson } from "../text/run-json.ts";

/**
 * Names that say how a run went, and are written by Tape or by the agent's program; all other texts are people's, and a
 * dump is made to be given away.
 */
const shown: ReadonlySet<string> = new Set([
  "runId",
  "run_id",
  "status",
  "kind",
  "verb",
  "transition",
  "semantics",
  "dispatchMode",
  "dispatch_mode",
  "resolution",
  "toolName",
  "tool",
  "connector",
  "gate",
  "timerId",
  "timer_id",
  "model",
  "policyVersion",
  "policy_version",
  "traceId",
  "spanId",
  "parentSpanId",
]);

/** Keys that were derived (R20) say nothing but what stands beside them. */
const derivedKey = /^run-[0-9a-z]+\/(?:no-decision|decision-\d+)\/[^/]*\/\d+$/;
const keyNames: ReadonlySet<string> = new Set(["idempotencyKey", "idempotency_key", "effectKey", "effect_key"]);
const hashCharacters = 10;

/**
 * A run to be attached to the report of a fault: everything that Tape decided, without payloads. What is left of texts that
 * may be about people is a hash, equal for equal texts.
 */
export function dumpOfRun(report: RunReport, version: string, now: number): object {
  const { entries, obligations } = report;
  const withoutPayloads: RunReport = {
    ...report,
    obligations: obligations.map((obligation) => ({ ...obligation, payloadJson: "", resultJson: "" })),
    // The kind of a subject says it all; the rest of it is names.
    entries: entries.map((entry) => ({ ...entry, subject: entry.subject.split("/").slice(0, 4).join("/") })),
  };
  return {
    tapeVersion: version,
    dumpedAt: new Date(now).toISOString(),
    ...(masked(runJson(withoutPayloads), "") as object),
  };
}

/** The same value with texts of people replaced by their hashes. */
function masked(value: unknown, name: string): unknown {
  if (typeof value === "string") return isShown(value, name) ? value : hashOf(value);
  if (Array.isArray(value)) return value.map((item) => masked(item, name));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [isName(key) ? key : hashOf(key), masked(item, key)]),
  );
}

/** Names of fields are Tape's own, those of labels are people's. */
const isName = (key: string): boolean => /^[a-zA-Z_]{1,40}$/.test(key);

function isShown(text: string, name: string): boolean {
  if (text === "" || shown.has(name)) return true;
  if (keyNames.has(name)) return derivedKey.test(text);
  return name === "subject" && /^\/tape\/[a-z]+\/[a-z]+$/.test(text);
}

const hashOf = (text: string): string => `#${createHash("sha256").update(text).digest("hex").slice(0, hashCharacters)}`;
