import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
  closeSync,
  writeFileSync,
  existsSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { scratch, beginScratchRun } from "../../src/cli/doctor/scratch-run.ts";
import { systemClock } from "../../src/engine/clock.ts";
import type { Finding } from "../../src/model/finding.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { openTape } from "../../src/open-tape.ts";
import { examineSqliteFile } from "../../src/store/sqlite/examine-file.ts";
import { kindOf } from "../../src/store/sqlite/disk.ts";
import { type CliResult, tape } from "../cli/run-in-process.ts";
import { findingsIn, type JsonReport } from "./json-report.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tape-doctor-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = (): string => join(folder, `${(files += 1)}.db`);

async function doctor(file: string, ...words: string[]): Promise<CliResult & JsonReport> {
  const result = await tape(["doctor", "--json", ...words], { env: { TAPE_STORE: `sqlite:${file}` } });
  return { ...result, ...findingsIn(result) };
}

async function makeJournal(file: string): Promise<void> {
  await (await openTape(`sqlite:${file}`, { reactors: false })).close();
}

describe("tape doctor on SQLite", () => {
  test("a healthy journal is healthy, and a killed process costs nothing", async () => {
    const file = newFile();
    await makeJournal(file);
    const { code, findings } = await doctor(file);
    expect(Object.values(findings).filter(({ outcome }) => outcome !== "ok" && outcome !== "skipped")).toEqual([]);
    expect(code).toBe(0);
    expect(findings["store.recovery"]?.says).toMatch(/killed \(SIGKILL\).*ended the run \(run-/);
    const written = await openTape(`sqlite:${file}`, { migrate: false, reactors: false });
    const runId = /run-\w+/.exec(findings["store.recovery"]?.says ?? "")?.[0] ?? "";
    await expect(written.getRun({ runId })).resolves.toMatchObject({ status: "TERMINAL", appName: scratch.app });
    await written.close();
  });

  test("--no-self-test writes nothing", async () => {
    const file = newFile();
    await makeJournal(file);
    const { findings } = await doctor(file, "--no-self-test");
    expect(findings["store.recovery"]).toMatchObject({ outcome: "skipped" });
    const journal = await openTape(`sqlite:${file}`, { migrate: false, reactors: false });
    await expect(journal.inspect.listRuns()).resolves.toMatchObject({ runs: [] });
    await journal.close();
  });

  test("without a journal it warns and makes none; --strict makes that 1; --fix makes one, and says so first", async () => {
    const file = newFile();
    const before = await doctor(file);
    expect(before).toMatchObject({
      code: 0,
      findings: { "store.schema": { outcome: "warn", mend: expect.arrayContaining(["tape migrate"]) } },
    });
    expect(existsSync(file)).toBe(false);
    await expect(doctor(file, "--strict")).resolves.toMatchObject({ code: 1 });
    const fixed = await tape(["doctor", "--fix", "--no-self-test"], { env: { TAPE_STORE: `sqlite:${file}` } });
    expect(fixed.out).toMatch(/fix {2}store\.schema: apply the pending migrations: 0001 journal\n +1 applied/);
    expect(fixed).toMatchObject({ code: 0, err: "" });
    await expect(doctor(file, "--strict", "--no-self-test")).resolves.toMatchObject({ code: 0 });
  });

  test("a damaged page fails, is named, and nothing is written to the file", async () => {
    const file = newFile();
    await makeJournal(file);
    damage(file, statSync(file).size / 2);
    const before = readFileSync(file);
    const { code, findings } = await doctor(file);
    expect(code).toBe(2);
    expect(findings["sqlite.integrity"]).toMatchObject({ outcome: "fail", says: expect.stringContaining("damaged") });
    expect(findings["sqlite.integrity"]?.mend).toContainEqual(`sqlite3 ${file} .recover | sqlite3 ${file}.recovered`);
    expect(findings["store.recovery"]?.outcome).toBe("skipped");
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("a file that cannot be opened for damage is told once", async () => {
    const file = newFile();
    await makeJournal(file);
    const bytes = readFileSync(file);
    // The schema can be read, and no page behind it.
    const random = seededRandom(3);
    for (let i = 0; i < 6000; i += 1) bytes[4096 + random.int(bytes.length - 4096)] = random.int(256);
    writeFileSync(file, bytes);
    const { code, findings } = await doctor(file);
    const failed = Object.values(findings).filter(({ outcome }) => outcome === "fail");
    expect(code).toBe(2);
    expect(failed).toHaveLength(new Set(failed.map(({ says }) => says)).size);
    expect(Object.values(findings)).toContainEqual(
      expect.objectContaining({
        outcome: "skipped",
        says: expect.stringMatching(/^could not be looked at: see store\./),
      }),
    );
  });

  test.each([
    [
      "no SQLite file",
      (file: string) => writeFileSync(file, "something else, long enough to be no header at all".repeat(9)),
      "store.schema",
    ],
    ["a folder", (file: string) => mkdirSync(file), "store.schema"],
  ])("%s fails and stays as it is", async (_what, make, id) => {
    const file = newFile();
    make(file);
    const { code, findings } = await doctor(file);
    expect(code).toBe(2);
    expect(findings[id]).toMatchObject({ outcome: "fail" });
    expect(Object.keys(findings)).not.toContain("store.open");
  });

  test("a folder that is not there is said once", async () => {
    const { code, findings, all } = await doctor(join(folder, "absent", "tape.db"));
    expect(code).toBe(2);
    expect(all.filter(({ outcome }) => outcome === "fail")).toHaveLength(1);
    expect(findings["store.schema"]?.says).toContain("create it or choose another path");
  });

  test("a run that an interrupted self-test left behind is found, and --fix ends it", async () => {
    const file = newFile();
    const earlier = Date.now() - 60_000;
    const before = await openTape(`sqlite:${file}`, { reactors: false, clock: { ...systemClock, now: () => earlier } });
    const { runId } = await beginScratchRun(before, "interrupted");
    await before.close();
    const { findings } = await doctor(file, "--no-self-test");
    expect(findings["store.scratch"]).toMatchObject({
      outcome: "warn",
      mend: [`tape cancel ${runId} --store "$TAPE_STORE"`],
    });
    const fixed = await doctor(file, "--no-self-test", "--fix");
    expect(fixed.repairs).toEqual([expect.objectContaining({ id: "store.scratch", done: "1 ended" })]);
    expect(fixed.findings["store.scratch"]?.outcome).toBe("ok");
  });

  test("a journal in memory is no journal to rely on", async () => {
    const { code, findings } = await doctor(":memory:", "--strict");
    expect(findings["sqlite.durability"]?.outcome).toBe("warn");
    expect(code).toBe(1);
  });
});

describe("tape doctor on settings that cannot be used", () => {
  test.each([
    [{ TAPE_STORE: "mysql://u:secret@h/d" }, "store.url", "there is no store of that kind"],
    [{ TAPE_STORE: "postgres://u:secret@h/d?sslmode=maybe" }, "store.url", "sslmode"],
    [{ TAPE_LISTEN: "nowhere" }, "config.valid", "TAPE_LISTEN"],
    [{ TAPE_STORE: "spanner://project/instance/database" }, "store.url", "TAPE_SPANNER_EXPERIMENTAL=1"],
  ])("%o: %s fails, exit 2, and no secret is shown", async (env, id, part) => {
    const result = await tape(["doctor", "--json"], { env });
    const { findings } = findingsIn(result);
    expect(result.code).toBe(2);
    expect(findings[id]).toMatchObject({ outcome: "fail", says: expect.stringContaining(part) });
    expect(findings[id]?.mend).not.toEqual([]);
    expect(result.out).not.toContain("secret");
  });
});

describe("the disk of a SQLite file", () => {
  const gibibyte = 1024 ** 3;
  const place = async (
    kind: "network" | "memory" | "user" | "unknown" | "local",
    freeBytes: number,
  ): Promise<Record<string, Finding>> => {
    const { place: look } = examineSqliteFile(newFile(), { disk: async () => ({ kind, name: "NFS", freeBytes }) });
    const found: Record<string, Finding> = {};
    for await (const finding of look(new AbortController().signal)) found[finding.id] = finding;
    return found;
  };

  it.each([
    ["network", "fail"],
    ["memory", "warn"],
    ["user", "warn"],
    ["unknown", "skipped"],
    ["local", "ok"],
  ] as const)("%s: %s", async (kind, outcome) => {
    const { "sqlite.filesystem": found } = await place(kind, 9 * gibibyte);
    expect(found?.outcome).toBe(outcome);
  });

  it.each([
    [10 * 1024 ** 2, "fail"],
    [gibibyte / 2, "warn"],
    [9 * gibibyte, "ok"],
  ] as const)("%d bytes free: %s", async (free, outcome) => {
    const { "sqlite.space": found } = await place("local", free);
    expect(found?.outcome).toBe(outcome);
  });

  it("is told by the number that Linux gives, signed or not", () => {
    expect(kindOf(0x6969, "linux")).toEqual({ kind: "network", name: "NFS" });
    expect(kindOf(0xff534d42 | 0, "linux")).toEqual({ kind: "network", name: "CIFS" });
    expect(kindOf(0xef53, "linux")).toEqual({ kind: "local", name: "" });
    expect(kindOf(0x01021994, "linux")).toEqual({ kind: "memory", name: "tmpfs" });
    expect(kindOf(26, "darwin").kind).toBe("unknown");
  });
});

function damage(file: string, at: number): void {
  const handle = openSync(file, "r+");
  writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, Math.floor(at / 4096) * 4096);
  closeSync(handle);
}
