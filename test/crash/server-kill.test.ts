import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { startServer } from "../../bench/server-process.ts";
import { connectTape } from "../../src/client/index.ts";
import { openLine } from "../../src/demo/line.ts";
import { openSqlite } from "../../src/store/sqlite/open-sqlite.ts";
import type { JournalEntry } from "../../src/model/run.ts";
import type { Tape } from "../../src/model/tape.ts";

const program = join(import.meta.dirname, "../../dist/cli/main.js");
const agents = 16;
const steps = 25;
/** When to kill, in acknowledged writes; the rest of the moment is as random as the load. */
const killsAt = [90, 400, 731, 1_100];

/** Long enough for every agent's next call to reach the server. */
const lockedMs = 50;

/** Writes acknowledged, as `<run> <what>`. */
type Acknowledged = Set<string>;

/** One agent: a decision, a charge and an effect a step; every write that returned is noted. */
async function act(tape: Tape, agent: number, acknowledged: Acknowledged, onWrite: () => void): Promise<string> {
  const { runId, leaseEpoch } = await tape.beginRun({ appName: "crash", invocationId: `a${agent}`, leaseOwner: "me" });
  const note = (what: string): void => {
    acknowledged.add(`${runId} ${what}`);
    onWrite();
  };
  const fenced = { leaseEpoch };
  for (let index = 0; index < steps; index += 1) {
    await tape.recordDecision({ runId, decisionIndex: index, responseJson: `${index}` }, fenced);
    note(`decision ${index}`);
    await tape.chargeBudget({ runId, tokens: index + 1 }, { ...fenced, requestId: `charge-${index}` });
    note(`charge ${index + 1}`);
    const { idempotencyKey } = await tape.beginEffect({ runId, decisionIndex: index, toolName: "act" }, fenced);
    note(`effect ${index} PENDING`);
    await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" }, fenced);
    note(`effect ${index} CONFIRMED`);
  }
  await tape.endRun({ runId, status: "TERMINAL" }, fenced);
  return runId;
}

function nameOf(runId: string, { kind, payloadJson }: JournalEntry): string {
  const payload = JSON.parse(payloadJson) as Readonly<Record<string, unknown>>;
  if (kind === "decision") return `${runId} decision ${String(payload["decision_index"])}`;
  if (kind === "budget") return `${runId} charge ${String(payload["tokens"])}`;
  if (kind === "effect") return `${runId} effect ${String(payload["decision_index"])} ${String(payload["status"])}`;
  return `${runId} ${kind} ${String(payload["status"])}`;
}

test("what was acknowledged before kill -9 is there afterwards, once", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "tape-crash-"));
  const file = join(folder, "tape.db");
  const storeUrl = `sqlite:${file}`;
  const line = await openLine();
  let server = await startServer(program, storeUrl);
  line.plug(server.port);
  const tape = connectTape(`tape://127.0.0.1:${line.port}`, { timeoutMs: 60_000 });
  try {
    const acknowledged: Acknowledged = new Set();
    const pendingKills = [...killsAt];
    let restarting: Promise<void> = Promise.resolve();
    const restart = async (): Promise<void> => {
      // Nothing can be committed while another connection holds the lock: a server that acknowledges before it commits
      // does so now, and is found out.
      const intruder = await openSqlite(file, { readOnly: false });
      intruder.exec("pragma busy_timeout = 5000; begin immediate");
      await setTimeout(lockedMs);
      line.plug(0);
      await server.stop("SIGKILL");
      intruder.close();
      server = await startServer(program, storeUrl);
      line.plug(server.port);
    };
    const onWrite = (): void => {
      if (acknowledged.size < (pendingKills[0] ?? Number.POSITIVE_INFINITY)) return;
      pendingKills.shift();
      restarting = restarting.then(restart);
    };
    const runIds = await Promise.all(
      Array.from({ length: agents }, (_, agent) => act(tape, agent, acknowledged, onWrite)),
    );
    await restarting;
    expect(pendingKills).toEqual([]);

    // The last look is through a server that has seen none of it.
    await restart();
    const journal: string[] = [];
    for (const runId of runIds) {
      let seq = 0;
      for await (const entry of tape.subscribeRun({ runId })) {
        seq += 1;
        expect(entry.seq).toBe(seq);
        journal.push(nameOf(runId, entry));
      }
    }
    expect([...acknowledged].filter((write) => !journal.includes(write))).toEqual([]);
    expect(journal.filter((write, at) => journal.indexOf(write) !== at)).toEqual([]);
    expect(journal).toHaveLength(acknowledged.size + 2 * agents);
  } finally {
    await tape.close();
    await line.close();
    await server.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
