import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { connectTape as connectFromBrowser } from "../../src/client/browser.ts";
import type { ClientOptions } from "../../src/client/client-options.ts";
import { connectTape as connectFromNode } from "../../src/client/connect-tape.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import { CutProxy } from "./cut-proxy.ts";
import { RealServer } from "./real-server.ts";

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function server(config?: Partial<ServerConfig>): Promise<RealServer> {
  const started = await RealServer.open(config);
  open.push(started);
  return started;
}

async function proxyTo(target: { readonly url: string }): Promise<CutProxy> {
  const proxy = await CutProxy.to(target);
  open.push(proxy);
  return proxy;
}

const kinds = [
  ["Node", connectFromNode],
  ["a browser", connectFromBrowser],
] as const;

describe.each(kinds)("the client of %s with a real server", (_name, connectTape) => {
  function client(target: { readonly url: string }, options: ClientOptions = {}): Tape {
    const tape = connectTape(target.url, { retries: { baseDelayMs: 5, maxDelayMs: 20, maxAttempts: 200 }, ...options });
    open.push(tape);
    return tape;
  }

  test("has leases, divergence, payloads and errors", async () => {
    const tape = client(await server());
    const begun = await tape.beginRun({ appName: "a", invocationId: "ü \u{1f600}", leaseOwner: "me" });
    expect(begun).toMatchObject({ resumed: false, status: "RUNNING", leaseEpoch: 1 });
    const { runId } = begun;
    const decision = { runId, decisionIndex: 0, model: "m", responseJson: JSON.stringify("é".repeat(100_000)) };
    await expect(tape.recordDecision(decision)).resolves.toMatchObject({ ...decision, diverged: false });
    await expect(tape.recordDecision({ ...decision, model: "other" })).resolves.toMatchObject({
      ...decision,
      diverged: true,
    });
    await expect(tape.recordDecision({ ...decision, model: "other" }, { strict: true })).rejects.toMatchObject({
      reason: "DIVERGENCE",
    });
    await expect(tape.beginRun({ appName: "a", invocationId: "ü \u{1f600}", leaseOwner: "you" })).rejects.toMatchObject(
      {
        reason: "LEASE_HELD",
        code: "ABORTED",
        ids: { holder: "me" },
      },
    );
    await expect(tape.getRun({ runId: "run-none" })).rejects.toMatchObject({
      reason: "RUN_NOT_FOUND",
      ids: { run_id: "run-none" },
    });
    await expect(tape.compactRun({ runId })).rejects.toMatchObject({
      reason: "TRANSITION_NOT_ALLOWED",
      ids: { run_id: runId, status: "RUNNING" },
    });
  });

  test("repeats nothing when answers are lost", async () => {
    const proxy = await proxyTo(await server());
    const tape = client(proxy);
    const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
    for (let charge = 0; charge < 5; charge++) {
      proxy.loseNextAnswer();
      await tape.chargeBudget({ runId, tokens: 1 });
    }
    await expect(tape.admitBudget({ runId })).resolves.toMatchObject({ budget: { tokensSpent: 5 } });
    expect(proxy.lost).toBe(5);
  });

  test("streams go on through broken connections and a restart, none skipped, none twice", async () => {
    const real = await server();
    const proxy = await proxyTo(real);
    const writer = client(real);
    const reader = client(proxy);
    const { runId } = await writer.beginRun({ appName: "a", invocationId: "i" });
    const seqs: number[] = [];
    const versions: number[] = [];
    const positions: number[] = [];
    const key = { namespace: "n", key: "k" };
    const entries = each(reader.subscribeRun({ runId }), ({ seq }) => seqs.push(seq));
    const values = each(reader.watchValue(key), ({ value }) => versions.push(value.version) >= 21);
    const feed = each(reader.subscribeEvents({ kind: "budget" }), ({ globalSeq }) => positions.push(globalSeq) >= 20);
    for (let step = 1; step <= 20; step++) {
      if (step === 10) {
        await real.stop();
        await real.start();
      }
      await writer.chargeBudget({ runId, tokens: 1 });
      await writer.writeValue({ ...key, valueJson: String(step), ifVersion: -1 });
      if (step % 4 === 0) {
        await vi.waitUntil(() => positions.length === step);
        proxy.cut();
      }
    }
    await writer.writeValue({ ...key, valueJson: "21", ifVersion: -1 });
    await writer.endRun({ runId, status: "TERMINAL" });
    await Promise.all([entries, values, feed]);
    expect(seqs).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
    expect(versions).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
  });

  test("a stream that is left ends on the server", async () => {
    const proxy = await proxyTo(await server());
    const tape = client(proxy);
    const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
    const items = tape.subscribeRun({ runId })[Symbol.asyncIterator]();
    await expect(items.next()).resolves.toMatchObject({ value: { seq: 1, kind: "run" } });
    const next = items.next();
    await items.return?.();
    await expect(next).resolves.toEqual({ done: true, value: undefined });
    await expect(tape.getRun({ runId })).resolves.toMatchObject({ runId });
  });

  test("carries a token, and says what is wrong with another", async () => {
    const target = await server({ auth: "token", credentials: [{ token: "token-of-acme-01", tenant: "acme" }] });
    await expect(
      client(target, { token: "token-of-acme-01" }).beginRun({ appName: "a", invocationId: "i" }),
    ).resolves.toMatchObject({ resumed: false });
    await expect(client(target).getRun({ runId: "r" })).rejects.toMatchObject({ reason: "CREDENTIALS_MISSING" });
    await expect(client(target, { token: "nonsense" }).getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "CREDENTIALS_INVALID",
    });
  });

  test("says what is too large", async () => {
    const tape = client(await server());
    const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
    const tooLarge = JSON.stringify("x".repeat(9 * 1024 * 1024));
    await expect(tape.recordDecision({ runId, decisionIndex: 0, requestJson: tooLarge })).rejects.toMatchObject({
      reason: "SIZE_LIMIT",
    });
  });

  test("does 500 calls at once", async () => {
    const tape = client(await server({ maxPending: 1000 }));
    const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
    await Promise.all(Array.from({ length: 500 }, () => tape.chargeBudget({ runId, tokens: 1 })));
    await expect(tape.admitBudget({ runId })).resolves.toMatchObject({ budget: { tokensSpent: 500 } });
  });
});

describe("tapes://", () => {
  const folder = join(import.meta.dirname, "../server/tls");
  const tls = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  const ca = readFileSync(tls.certFile, "utf8");

  test("trusts the authority it is told, and nobody else", async () => {
    const target = await server({ tls });
    const trusting = connectFromNode(target.url, { tls: { ca, servername: "localhost" } });
    open.push(trusting);
    await expect(trusting.beginRun({ appName: "a", invocationId: "i" })).resolves.toMatchObject({ status: "RUNNING" });
    const wary = connectFromNode(target.url);
    open.push(wary);
    await expect(wary.getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "CONFIG_INVALID",
      message: expect.stringContaining("tls.ca"),
    });
  });

  test("says when the schemes are confused", async () => {
    const secure = await server({ tls });
    const plain = await server();
    const options = { retries: { maxAttempts: 1 } };
    for (const [url, hint] of [
      [secure.url.replace("tapes:", "tape:"), /wants TLS \(tapes:\/\/\)/],
      [plain.url.replace("tape:", "tapes:"), /does not speak TLS/],
    ] as const) {
      const tape = connectFromNode(url, options);
      open.push(tape);
      await expect(tape.getRun({ runId: "r" })).rejects.toMatchObject({
        reason: "SERVER_UNAVAILABLE",
        message: expect.stringMatching(hint),
      });
    }
  });
});

/** Reads until `take` says that it was enough, or the end. */
async function each<Item>(items: AsyncIterable<Item>, take: (item: Item) => unknown): Promise<void> {
  for await (const item of items) if (take(item) === true) return;
}
