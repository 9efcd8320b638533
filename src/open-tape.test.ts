import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTape } from "./index.ts";
import { FakeClock } from "./testing/fake-clock.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tape-open-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("makes the store, keeps what is written, and closes everything", async () => {
  const url = `sqlite:${join(folder, "made.db")}`;
  const first = await openTape(url);
  const { runId } = await first.beginRun({ appName: "a", invocationId: "i" });
  const stream = first.subscribeEvents({})[Symbol.asyncIterator]();
  await stream.next();
  const [ended] = await Promise.allSettled([stream.next(), first.close()]);
  expect(ended).toMatchObject({ status: "rejected", reason: { code: "UNAVAILABLE" } });
  await expect(first.getRun({ runId })).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
  await first.close();
  await using second = await openTape(url);
  await expect(second.getRun({ runId })).resolves.toMatchObject({ runId, status: "RUNNING" });
});

test("without migrations neither makes nor changes anything", async () => {
  const path = join(folder, "missing.db");
  await expect(openTape(`sqlite:${path}`, { migrate: false })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  expect(existsSync(path)).toBe(false);
});

test("refuses a URL that names no store", async () => {
  await expect(openTape("nowhere:")).rejects.toMatchObject({ reason: "STORE_URL_INVALID" });
});

test("takes its clock from the caller", async () => {
  const clock = new FakeClock(1_000_000);
  await using tape = await openTape("memory:", { clock });
  const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
  await expect(tape.getRun({ runId })).resolves.toMatchObject({ startedAtMs: 1_000_000 });
});
