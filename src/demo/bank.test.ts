import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BankOptions, openBank, type RunningBank } from "./bank.ts";
import { type Bank, connectBank } from "./bank-client.ts";
import { readLedger } from "./ledger.ts";

const transfer = { cents: 12_345, account: "Acme" };
const open: RunningBank[] = [];
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tape-bank-"));
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function bank(options: Partial<BankOptions> = {}): Promise<Bank> {
  const ledgerFile = join(folder, "ledger");
  const running = await openBank({ ledgerFile, port: 0, loseFirstWireAnswer: false, say: () => undefined, ...options });
  open.push(running);
  return connectBank(running.url);
}

const kinds = (): readonly string[] => readLedger(join(folder, "ledger")).map(({ kind, ref }) => `${kind} ${ref}`);

test("a sweep is booked once per key, also by a bank that was started again", async () => {
  const first = await (await bank()).sweep(transfer, "key");
  const again = await (await bank()).sweep(transfer, "key");
  expect(again).toEqual(first);
  await (await bank()).sweep(transfer, "another");
  expect(kinds()).toEqual(["sweep S-1001", "sweep S-1002"]);
});

test("a wire moves money each time", async () => {
  const client = await bank();
  await client.wire(transfer, "invoice");
  await client.wire(transfer, "invoice");
  expect(kinds()).toEqual(["wire W-1001", "wire W-1002"]);
  expect(await client.findWires("invoice")).toHaveLength(2);
  expect(await client.findWires("other")).toEqual([]);
});

test("a lost answer is lost after the money has moved", async () => {
  const client = await bank({ loseFirstWireAnswer: true });
  await expect(client.wire(transfer, "invoice")).rejects.toThrow("no answer from the bank");
  expect(await client.findWires("invoice")).toEqual([{ ...transfer, kind: "wire", ref: "W-1001", key: "invoice" }]);
  await expect(client.wire(transfer, "next")).resolves.toMatchObject({ ref: "W-1002" });
});

test("nonsense moves no money", async () => {
  const client = await bank();
  const url = open[0]?.url ?? "";
  const answers = await Promise.all([
    fetch(`${url}/wires`, { method: "POST", body: "nonsense" }),
    fetch(`${url}/wires`, { method: "POST", body: '{"cents":"many","account":"x","reference":"y"}' }),
    fetch(`${url}/elsewhere`),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 404]);
  expect(kinds()).toEqual([]);
  expect(await client.findWires("y")).toEqual([]);
});
