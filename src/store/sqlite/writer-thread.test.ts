import { describe, expect, it } from "vitest";
import { TapeError } from "../../errors.ts";
import { appendTo } from "../../testing/test-store/material.ts";
import type { AppendOutcome } from "../store.ts";
import { FileConnections } from "./file-connections.ts";
import type { SqliteReader } from "./sqlite-reader.ts";
import { WriterThread } from "./writer-thread.ts";

const start = { path: "/nowhere/tape.db", busyTimeoutMs: 100 };

/** A thread with another program in it. */
const thread = (program: string): Promise<WriterThread> =>
  WriterThread.start(start, new URL(`data:text/javascript,${encodeURIComponent(program)}`));

const dies = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", () => { throw new Error("out of memory"); });
  parentPort.postMessage({ kind: "ready" });`;

describe("WriterThread", () => {
  it("answers unknown for everything under way when it dies, and refuses what comes later", async () => {
    const writer = await thread(dies);
    const cause: unknown = expect.objectContaining({ message: "out of memory" });
    const [first, second] = await Promise.all([
      writer.append([appendTo("a", 0), appendTo("b", 0)]),
      writer.append([appendTo("c", 0)]),
    ]);
    expect(first).toEqual([
      { kind: "unknown", cause },
      { kind: "unknown", cause },
    ]);
    expect(second).toEqual([{ kind: "unknown", cause }]);
    expect(writer.isAlive).toBe(false);
    await expect(writer.append([appendTo("a", 0)])).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await writer.close();
  });

  it("does not start when its program fails", async () => {
    await expect(thread("throw new Error('no such module')")).rejects.toThrow("no such module");
    await expect(WriterThread.start(start)).rejects.toMatchObject({ reason: "STORE_NOT_USABLE" });
  });

  it("passes on why a batch was refused", async () => {
    const writer = await thread(`
      import { parentPort } from "node:worker_threads";
      parentPort.once("message", () => {
        parentPort.postMessage({ kind: "refused", reason: "STORE_UNAVAILABLE", message: "full", cause: "SQLITE_FULL" });
      });
      parentPort.postMessage({ kind: "ready" });`);
    const refused = writer.append([appendTo("a", 0)]);
    await expect(refused).rejects.toThrow(new TapeError("STORE_UNAVAILABLE", "full"));
    await expect(refused).rejects.toMatchObject({ cause: "SQLITE_FULL" });
  });
});

describe("FileConnections", () => {
  const committed: AppendOutcome = { kind: "committed", position: 1 };
  const alive = { isAlive: true, append: async () => [committed], close: async () => undefined };
  const dead = { ...alive, isAlive: false, append: async () => [] };
  const reader = { close: () => undefined } as unknown as SqliteReader;

  it("goes on with a new thread when the old one has died, one for all who wait", async () => {
    let started = 0;
    const connections = new FileConnections(reader, dead, async () => {
      started += 1;
      return alive;
    });
    const outcomes = await Promise.all([connections.append([]), connections.append([]), connections.append([])]);
    expect(outcomes).toEqual([[committed], [committed], [committed]]);
    expect(started).toBe(1);
  });

  it("tries again at the next append when no new thread could be started", async () => {
    let attempts = 0;
    const connections = new FileConnections(reader, dead, async () => {
      attempts += 1;
      if (attempts === 1) throw new TapeError("STORE_UNAVAILABLE", "locked");
      return alive;
    });
    await expect(connections.append([])).rejects.toThrow("locked");
    await expect(connections.append([])).resolves.toEqual([committed]);
  });
});
