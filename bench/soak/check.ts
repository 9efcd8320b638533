import type { JournalEntry } from "../../src/client/index.ts";
import type { Caller } from "./caller.ts";
import type { Followed } from "./follower.ts";
import { steps, tokensOfRun, type Scene } from "./scene.ts";

/** How many runs are looked at together. */
const width = 16;
/** What a run may have besides: a claim can be renewed, and one that expired leaves its trace. */
const optional: readonly string[] = ["CLAIMED", "UNKNOWN"];

/** Compares the journal with what the clients were told and did, and with what the feed brought; tells the tally. */
export async function check(caller: Caller, scene: Scene, feeds: readonly Followed[]): Promise<void> {
  const { ledger, tally } = scene;
  const runIds = [...ledger.runIds];
  tally.count("runs", runIds.length);
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let runId = runIds.pop(); runId !== undefined; runId = runIds.pop()) {
        await checkRun(caller, scene, feeds, runId);
      }
    }),
  );
  for (const [key, times] of ledger.acted) {
    if (times > 1) tally.violation("duplicated", `act ${key} was done ${times} times`);
  }
  for (const feed of feeds) {
    for (const [version, writer] of ledger.versions) {
      const written = feed.values.get(version);
      if (written === undefined) tally.violation("lost", `value ${version}, acknowledged to ${writer}`);
      else if (writerOf(written) !== writer) {
        tally.violation("two writers", `value ${version} was acknowledged to ${writer} and is of ${writerOf(written)}`);
      }
    }
  }
}

async function checkRun(caller: Caller, scene: Scene, feeds: readonly Followed[], runId: string): Promise<void> {
  const { ledger, tally } = scene;
  const wrong = (kind: string, what: string): void => tally.violation(kind, `run ${runId}: ${what}`);
  const run = await caller.call((tape) => tape.getRun({ runId }));
  if (run.status !== "TERMINAL") {
    wrong("not ended", `it is ${run.status}, lease ${run.leaseOwner} until ${run.leaseExpiresAtMs}`);
    return;
  }
  const entries = await caller.call((tape) => all(tape.subscribeRun({ runId })));
  tally.count("entries", entries.length);
  const found = new Map<string, number>();
  entries.forEach((entry, at) => {
    const name = nameOf(entry);
    found.set(name, (found.get(name) ?? 0) + 1);
    if (entry.seq !== at + 1) wrong("lost", `seq ${entry.seq} stands where ${at + 1} should`);
  });
  const due = [...expected(ledger.acts(transferKey(runId)) > 0)];
  for (const name of new Set([...due, ...ledger.acknowledged(runId)])) {
    const times = found.get(name) ?? 0;
    const told = ledger.wasAcknowledged(runId, name) ? ", which was acknowledged" : "";
    if (times === 0) wrong("lost", `${name}${told}`);
    if (times > 1) wrong("duplicated", `${name} stands there ${times} times`);
    found.delete(name);
  }
  for (const name of found.keys()) {
    if (!optional.some((status) => name.endsWith(status)))
      wrong("duplicated", `${name}, which nobody should have written`);
  }
  const { budget } = await caller.call((tape) => tape.admitBudget({ runId, tokenEstimate: 0 }));
  if (budget.tokensSpent !== tokensOfRun) {
    wrong("budget", `${budget.tokensSpent} tokens spent, ${tokensOfRun} were charged`);
  }
  const positions = entries.map(({ globalSeq }) => globalSeq);
  feeds.forEach(({ positions: rows }, at) => {
    const got = rows.get(runId) ?? [];
    // Some stores know an entry's place only in the feed (R14).
    const isSame = got.length === positions.length && positions.every((place, i) => place === 0 || place === got[i]);
    if (!isSame) wrong("feed lost", `feed ${at + 1} brought [${got.join(" ")}], the run has [${positions.join(" ")}]`);
  });
}

async function all(stream: AsyncIterable<JournalEntry>): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of stream) entries.push(entry);
  return entries;
}

const transferKey = (runId: string): string => `${runId}/decision-${Math.floor(steps / 2)}/transfer/0`;

/** Everything that a finished run consists of. */
function* expected(wasTransferred: boolean): Generator<string> {
  yield "run RUNNING";
  for (let index = 0; index < steps; index += 1) {
    yield `decision ${index}`;
    yield `budget ${index + 1}`;
    const isTransfer = index === Math.floor(steps / 2);
    yield `${isTransfer ? "transfer" : "act"} ${index} PENDING`;
    yield isTransfer ? `transfer ${index} ${wasTransferred ? "CONFIRMED" : "FAILED"}` : `act ${index} CONFIRMED`;
  }
  yield "run TERMINAL";
}

/** An entry in the ledger's words. */
function nameOf({ kind, subject, payloadJson }: JournalEntry): string {
  const payload = JSON.parse(payloadJson) as Readonly<Record<string, unknown>>;
  const verb = subject.split("/")[3]?.toUpperCase() ?? "";
  if (kind === "decision") return `decision ${String(payload["decision_index"])}`;
  if (kind === "budget") return `budget ${String(payload["tokens"])}`;
  if (kind === "effect") return `${String(payload["tool"])} ${String(payload["decision_index"])} ${verb}`;
  return `${kind} ${verb}`;
}

function writerOf(payloadJson: string): string {
  const { value } = JSON.parse(payloadJson) as { readonly value?: { readonly value_json?: string } };
  return value?.value_json === undefined ? "nobody" : String(JSON.parse(value.value_json));
}
