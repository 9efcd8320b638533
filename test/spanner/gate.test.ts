import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { TapeError } from "../../src/errors.ts";
import { createStore } from "../../src/store/open-store.ts";
import { spannerStore } from "../../src/store/spanner/spanner-store.ts";
import { serviceLimits, type ServiceLimits } from "../../src/store/spanner/row-writes.ts";
import type { Store } from "../../src/store/store.ts";
import { appendTo, bytes, commit, entry, refused, rowId, rowOf, upTo } from "../../src/testing/test-store/material.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { experimental, newDatabase } from "./databases.ts";
import { Scene } from "./fixture.ts";
import { keepLog } from "../kept-logs.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

async function tape(words: readonly string[], variables: Readonly<Record<string, string>>) {
  const { TAPE_SPANNER_EXPERIMENTAL: _gate, SPANNER_EMULATOR_HOST: _host, ...rest } = process.env;
  const child = spawn(process.execPath, [main, ...words], { env: { ...rest, ...variables }, stdio: "pipe" });
  keepLog(child, import.meta.filename);
  const over = once(child, "close");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), over]);
  return { code: child.exitCode, out, err };
}

describe("the gate before Spanner", () => {
  it("lets no server start: one paragraph that says why and what else there is, exit code 78", async () => {
    const { code, out, err } = await tape(["serve", "--store", "spanner://project/instance/tape"], {});
    expect(code).toBe(78);
    const said = `${out}${err}`;
    for (const word of [
      "experimental",
      "emulator",
      "never measured",
      "alloydb://",
      "postgres://",
      "bigtable://",
      "sqlite:",
    ]) {
      expect(said).toContain(word);
    }
    expect(said).toContain("TAPE_SPANNER_EXPERIMENTAL=1");
    expect(said.trim().split(/\n\s*\n/)).toHaveLength(1);
  });

  it.each([{}, { TAPE_SPANNER_EXPERIMENTAL: "" }, { TAPE_SPANNER_EXPERIMENTAL: "true" }])(
    "is shut with %j",
    async (environment) => {
      const making = createStore("spanner://project/instance/tape", { environment });
      await expect(making).rejects.toMatchObject({ reason: "CONFIG_INVALID" });
    },
  );

  it("opens with the variable, and the library is not loaded before the store connects", async () => {
    const store = await createStore("spanner://project/instance/tape", { environment: experimental });
    expect(store.capabilities).toMatchObject({ kind: "spanner", durable: true, exclusive: false, atomicIndex: true });
    await store.close();
    await refused(store.open(), "SHUTTING_DOWN", "opening what is closed");
  });
});

describe("a Spanner URL that cannot be meant", () => {
  it.each([
    "spanner:",
    "spanner://",
    "spanner://p/i",
    "spanner://project/instance/",
    "spanner://project/instance/tape/more",
    "spanner://Project/instance/tape",
    "spanner://project/in_stance/tape",
    "spanner://project/instance/Tape",
    "spanner://project/instance/tape#x",
    "spanner://project/instance/tape?emulator=",
    "spanner://project/instance/tape?emulator=nowhere",
    "spanner://project/instance/tape?emulator=a:1&emulator=b:2",
    "spanner://project/instance/tape?prefix=x",
  ])("%s is refused", (url) => {
    const make = (): Store => spannerStore(url, { experimental: true });
    expect(make).toThrow(/is not valid/);
    expect(make).toThrow(expect.objectContaining({ reason: "STORE_URL_INVALID" } satisfies Partial<TapeError>));
  });
});

describeSpanner("Spanner, the command line", (host) => {
  it("migrates and says so, with the emulator named by SPANNER_EMULATOR_HOST", { timeout: 60_000 }, async () => {
    const url = newDatabase(host).replace(/\?.*/, "");
    const variables = { ...experimental, SPANNER_EMULATOR_HOST: host };
    const { code, out, err } = await tape(["migrate", "--store", url, "--json"], variables);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({ steps: [{ id: 1 }] });
  });
});

describeSpanner("Spanner, limits of the service", (host) => {
  const openWith = (limits: Partial<ServiceLimits>): Promise<Store> =>
    new Scene(host).open({ limits: { ...serviceLimits, ...limits } });

  it.each<readonly [string, Partial<ServiceLimits>, Parameters<typeof appendTo>[2]]>([
    ["a head", { cellBytes: 100 }, { head: bytes("x".repeat(101)) }],
    ["a text", { textLength: 100 }, { entries: [entry(1, { meta: `"${"x".repeat(100)}"` })] }],
    ["a key", { keyBytes: 100 }, { add: [{ index: "i", key: "k".repeat(100) }] }],
    ["a number of changed columns", { mutations: 100 }, { entries: upTo(10).map((i) => entry(i + 1)) }],
    ["a commit", { commitBytes: 2000 }, { entries: [entry(1, { body: bytes("x".repeat(2000)) })] }],
  ])("%s that is too large is refused before it is sent, and its neighbours are not", async (what, limits, fields) => {
    const store = await openWith(limits);
    const [refusedOne, other] = await store.append([appendTo("big", 0, fields), appendTo("small", 0)]);
    expect(refusedOne).toMatchObject({ kind: "refused", error: { reason: "SIZE_LIMIT" } });
    expect(refusedOne?.kind === "refused" ? refusedOne.error.message : "").toContain(`row big: ${what} of`);
    expect(other?.kind).toBe("committed");
    expect(await store.read(rowId("big"))).toBeNull();
  });

  it("what is too much for one commit goes in several", async () => {
    const scene = new Scene(host);
    const { store, proxy } = await scene.openProxied({ limits: { ...serviceLimits, mutations: 100 } });
    proxy.forget();
    await commit(store, ...upTo(12).map((i) => appendTo(`row-${i}`, 0)));
    // The emulator aborts commits that meet, so there may be more.
    expect(proxy.counts.get("Commit")).toBeGreaterThanOrEqual(6);
  });

  it("a commit of most entries and of large bodies fits", { timeout: 60_000 }, async () => {
    const store = await new Scene(host).open();
    await commit(store, appendTo("many", 0, { entries: upTo(4096).map((i) => entry(i + 1)) }));
    const head = new Uint8Array(8 * 1024 * 1024).fill(7);
    const body = new Uint8Array(9 * 1024 * 1024 + 1).fill(9);
    await commit(
      store,
      appendTo("large", 0, { head, entries: [entry(1, { body }), entry(2), entry(3, { body: new Uint8Array(0) })] }),
    );
    const slice = await store.read(rowId("large"), { bodies: true });
    expect(Buffer.compare(slice?.head ?? bytes(""), head)).toBe(0);
    expect(Buffer.compare(slice?.entries[0]?.body ?? bytes(""), body)).toBe(0);
    expect(slice?.entries[1]).not.toHaveProperty("body");
    expect(slice?.entries[2]?.body).toHaveLength(0);
    expect((await rowOf(store, "many")).entries).toHaveLength(4096);
  });
});

describeSpanner("Spanner, closing", (host) => {
  it("ends the sessions that it made", async () => {
    const proxy = await new Scene(host).proxy();
    const scene = new Scene(host);
    const store = spannerStore(scene.url(proxy.host), { experimental: true });
    await store.migrate({ dryRun: false });
    proxy.forget();
    await store.close();
    expect(proxy.counts.get("DeleteSession")).toBe(16);
  });

  it("says what is wrong where nobody answers", async () => {
    const store = spannerStore("spanner://project/instance/tape?emulator=127.0.0.1:9", {
      experimental: true,
      deadlines: { read: 500, commit: 500, retry: 500 },
    });
    onTestFinished(() => store.close());
    await expect(store.open()).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  });
});
