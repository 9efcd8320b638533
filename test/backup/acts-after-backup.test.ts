import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Tape } from "../../src/model/tape.ts";
import { openTape } from "../../src/open-tape.ts";
import { openSqlite } from "../../src/store/sqlite/open-sqlite.ts";
import { FakeClock } from "../../src/testing/index.ts";

/*
 * What a restored journal does not know, and what it says of it: docs/backup.md. On SQLite; the rules are above the stores
 * and the same for all.
 */

let folder: string;
const hour = 3_600_000;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tape-restore-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function opened(name: string, clock: FakeClock): Promise<Tape> {
  const tape = await openTape(`sqlite:${join(folder, name)}`, { clock });
  onTestFinished(() => tape.close());
  return tape;
}

async function backUp(): Promise<void> {
  const database = await openSqlite(join(folder, "tape.db"), { readOnly: false });
  database.exec(`vacuum into '${join(folder, "backup.db")}'`);
  database.close();
}

/** The world outside: what a bank was asked for, by idempotency key. */
class Bank {
  readonly transfers: string[] = [];
  readonly #honoursKeys: boolean;

  constructor(honoursKeys: boolean) {
    this.#honoursKeys = honoursKeys;
  }

  pay(key: string): void {
    if (!(this.#honoursKeys && this.transfers.includes(key))) this.transfers.push(key);
  }
}

const run = { appName: "treasury", invocationId: "sweep", leaseOwner: "agent" };

/** A step of an agent: begins the effect, acts if nobody has, records. */
async function pay(tape: Tape, bank: Bank, decisionIndex: number): Promise<string> {
  const { runId, leaseEpoch } = await tape.beginRun(run);
  const effect = await tape.beginEffect({ runId, toolName: "pay", decisionIndex }, { leaseEpoch });
  if (effect.status !== "PENDING") return effect.status;
  bank.pay(effect.idempotencyKey);
  const done = { runId, idempotencyKey: effect.idempotencyKey, status: "CONFIRMED" } as const;
  return `${(await tape.completeEffect(done, { leaseEpoch })).status}, paid`;
}

describe("an act that happened after the backup", () => {
  it.each([
    ["happens once where the other side honours the key, which is the same again", true, 2],
    ["happens twice where it does not: the restored journal cannot know", false, 3],
  ])("%s", async (_what, honoursKeys, transfers) => {
    const clock = new FakeClock();
    const bank = new Bank(honoursKeys);
    const before = await opened("tape.db", clock);
    await pay(before, bank, 0);
    await backUp();
    await pay(before, bank, 1);
    expect(bank.transfers).toHaveLength(2);
    await before.close();

    clock.jump(hour);
    const restored = await opened("backup.db", clock);
    await expect(pay(restored, bank, 0)).resolves.toBe("CONFIRMED");
    await expect(pay(restored, bank, 1)).resolves.toBe("CONFIRMED, paid");
    expect(bank.transfers).toHaveLength(transfers);
    expect(new Set(bank.transfers).size).toBe(2);
  });

  it("can be told to the restored journal before anybody works on it, and is not repeated", async () => {
    const clock = new FakeClock();
    const bank = new Bank(false);
    const before = await opened("tape.db", clock);
    await pay(before, bank, 0);
    await backUp();
    await pay(before, bank, 1);
    await before.close();

    clock.jump(hour);
    const restored = await opened("backup.db", clock);
    const { runId, leaseEpoch } = await restored.beginRun(run);
    const { idempotencyKey } = await restored.beginEffect({ runId, toolName: "pay", decisionIndex: 1 }, { leaseEpoch });
    expect(bank.transfers).toContain(idempotencyKey);
    await restored.reconcileEffect({ runId, idempotencyKey, resolvedStatus: "CONFIRMED", responseJson: '"by hand"' });
    await expect(pay(restored, bank, 1)).resolves.toBe("CONFIRMED");
    expect(bank.transfers).toHaveLength(2);
  });
});

describe("an act that was under way at the backup", () => {
  it("and may be repeated is done again, by the same key", async () => {
    const clock = new FakeClock();
    const bank = new Bank(true);
    const before = await opened("tape.db", clock);
    const { runId, leaseEpoch } = await before.beginRun(run);
    const { idempotencyKey } = await before.beginEffect({ runId, toolName: "pay", decisionIndex: 0 }, { leaseEpoch });
    await backUp();
    await expect(pay(before, bank, 0)).resolves.toBe("CONFIRMED, paid");
    await before.close();

    clock.jump(hour);
    const restored = await opened("backup.db", clock);
    expect((await restored.getEffect({ runId, idempotencyKey })).effect?.status).toBe("PENDING");
    await expect(pay(restored, bank, 0)).resolves.toBe("CONFIRMED, paid");
    expect(bank.transfers).toEqual([idempotencyKey]);
  });

  it("and must not be done twice is UNKNOWN, listed, and settled by whoever has looked", async () => {
    const clock = new FakeClock();
    const before = await opened("tape.db", clock);
    const { runId } = await before.beginRun({ ...run, scopes: ["wire"] });
    const { idempotencyKey } = await before.beginEffect({
      runId,
      toolName: "wire",
      decisionIndex: 0,
      semantics: "NON_IDEMPOTENT",
      dispatchMode: "OUTBOX",
      connector: "bank",
      scope: "wire",
    });
    await before.claimEffectDispatch({ runId, idempotencyKey, claimer: "dispatcher" });
    await backUp();
    // The wire goes out, and the journal that says so is lost.
    await before.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    await before.close();

    clock.jump(hour);
    const restored = await opened("backup.db", clock);
    expect((await restored.getEffect({ runId, idempotencyKey })).effect?.status).toBe("UNKNOWN");
    expect((await restored.listEffectsToDispatch({})).effects).toEqual([]);
    const { effects } = await restored.listPendingEffects({ includeUnknown: true });
    expect(effects.map((effect) => effect.idempotencyKey)).toEqual([idempotencyKey]);
    const settled = await restored.reconcileEffect({ runId, idempotencyKey, resolvedStatus: "CONFIRMED" });
    expect(settled.status).toBe("CONFIRMED");
  });
});

describe("what was taken after the backup", () => {
  it("is free again: a business key, and the name of a run", async () => {
    const clock = new FakeClock();
    const invoice = { toolName: "pay", decisionIndex: 0, connector: "bank", businessKey: "invoice-1" };
    const before = await opened("tape.db", clock);
    const first = await before.beginRun(run);
    await backUp();
    const owner = await before.beginRun({ ...run, invocationId: "after" });
    await before.beginEffect({ ...invoice, runId: owner.runId });
    await expect(before.beginEffect({ ...invoice, runId: first.runId })).rejects.toMatchObject({
      reason: "BUSINESS_KEY_USED",
    });
    await before.close();

    const restored = await opened("backup.db", clock);
    await expect(restored.beginEffect({ ...invoice, runId: first.runId })).resolves.toMatchObject({
      status: "PENDING",
    });
    const again = await restored.beginRun({ ...run, invocationId: "after" });
    expect(again).toMatchObject({ runId: owner.runId, resumed: false });
  });

  it("may come out otherwise: another request by the same key is told apart only by who kept the first", async () => {
    const clock = new FakeClock();
    const before = await opened("tape.db", clock);
    const { runId } = await before.beginRun(run);
    await backUp();
    const step = { runId, toolName: "pay", decisionIndex: 0 };
    const first = await before.beginEffect({ ...step, requestJson: '{"to":"ada"}' });
    expect((await before.beginEffect({ ...step, requestJson: '{"to":"bob"}' })).diverged).toBe(true);
    await before.close();

    const restored = await opened("backup.db", clock);
    const other = await restored.beginEffect({ ...step, requestJson: '{"to":"bob"}' });
    expect(other).toMatchObject({ idempotencyKey: first.idempotencyKey, diverged: false });
  });
});

describe("an agent that was not stopped before the restore", () => {
  it("is not fenced off: the epoch that it holds is given again", async () => {
    const clock = new FakeClock();
    const before = await opened("tape.db", clock);
    const { runId } = await before.beginRun(run);
    await backUp();
    clock.jump(hour);
    const stale = await before.resumeRun({ runId, leaseOwner: "still running" });
    await before.close();

    const restored = await opened("backup.db", clock);
    const fresh = await restored.resumeRun({ runId, leaseOwner: "new" });
    expect(fresh.leaseEpoch).toBe(stale.leaseEpoch);
    const late = restored.recordDecision({ runId, decisionIndex: 0 }, { leaseEpoch: stale.leaseEpoch });
    await expect(late).resolves.toBeDefined();
  });
});
