import { indexName, partitionOf, runIdOf, runRow } from "../../../src/codec/row-id.ts";
import { newestFirstKey } from "../../../src/codec/time-key.ts";
import { toEntry } from "../../../src/engine/task.ts";
import { statusEvent } from "../../../src/journal/run/events.ts";
import { listKeyOf } from "../../../src/journal/run/list-key.ts";
import { runRules } from "../../../src/journal/run/rules.ts";
import { absentRun, type RunFacts } from "../../../src/journal/run/run.ts";
import type { Entry } from "../../../src/store/store.ts";
import { userOf } from "../actors/script.ts";
import type { SimulatedData } from "../world/simulated-data.ts";

/** More runs of others than a page looks at for those of one user (R80). */
const others = 11_500;
const longAgoMs = 86_400_000;

/** What was begun before this is of the past. */
export const storyFrom = (startMs: number): number => startMs - longAgoMs / 2;

/** A run of a user before the story begins, and after it very many of others, of which nobody reads more than the keys. */
export function writePastRuns(data: SimulatedData, startMs: number): void {
  const partition = partitionOf("");
  const from = startMs - longAgoMs;
  writeOne(data, from - 1);
  const marks = listKeyOf({ ...identityOf("somebody"), startedAtMs: 0 }).slice(newestFirstKey(0).length);
  const index = indexName(partition, "runs");
  for (let i = 0; i < others; i += 1) {
    data.index.add(runRow(partition, `past-${i}`), { index, key: newestFirstKey(from + i) + marks }, 1);
  }
}

const identityOf = (userId: string) => ({
  tenantId: "",
  appName: "past",
  userId,
  sessionId: "long-ago",
  invocationId: "first",
});

function writeOne(data: SimulatedData, at: number): void {
  const identity = identityOf(userOf);
  const run = absentRun();
  const none = { actor: "", subject: "", agentId: "", aiplexInstanceId: "", gatewayRoute: "", scopes: [], labels: {} };
  const facts: RunFacts = { ...identity, ...none, runId: runIdOf(identity), startedAtMs: at };
  const entries: Entry[] = [];
  for (const event of [
    { kind: "head/facts", facts } as const,
    statusEvent(facts, "RUNNING"),
    statusEvent(facts, "TERMINAL"),
  ]) {
    const seq = run.seq + 1;
    runRules.evolve(run, event, { at, seq });
    if (!("ref" in event)) continue;
    run.seq = seq;
    entries.push(toEntry(event, seq, "", at));
  }
  const partition = partitionOf("");
  const head = new TextEncoder().encode(runRules.head(run));
  const index = { add: runRules.indexKeys(run, partition), remove: [] };
  data.commit({ row: runRow(partition, facts.runId), expect: 0, commitId: "past", head, entries, index }, true);
}
