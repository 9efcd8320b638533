import { execFile } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Tally } from "../../bench/soak/tally.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { describePostgres } from "../postgres/shared-server.ts";
import { nameOfVictim, victimsOf, type Victim } from "./blow.ts";
import { buildCrashServer } from "./build-server.ts";
import { runMatrix, type MatrixOptions } from "./matrix.ts";
import { openPlace } from "./places/open-place.ts";
import { allScenarios } from "./scenarios/all-scenarios.ts";
import { steps } from "./server/protocol.ts";
import { CrashTable } from "./table.ts";

const seed = 20_261_126;
let program = "";
beforeAll(async () => {
  program = await buildCrashServer();
}, 60_000);

interface Slice extends Partial<Pick<MatrixOptions, "planted" | "moments" | "clients">> {
  readonly store: string;
  readonly calls: readonly string[];
  /** Default: the server alone. */
  readonly victims?: (victim: Victim) => boolean;
}

async function matrix({ store, calls, victims: isVictim = isServer, ...options }: Slice) {
  const place = await openPlace(store);
  onTestFinished(() => place.remove());
  const tally = new Tally();
  const victims = victimsOf(place).filter(isVictim);
  const tables = new Map(victims.map((one) => [nameOfVictim(one), new CrashTable("")]));
  const scenarios = allScenarios.filter(({ name }) => calls.includes(name));
  await runMatrix({
    place,
    program,
    scenarios,
    victims,
    rounds: 1,
    together: 100,
    clients: 2,
    random: seededRandom(seed),
    tally,
    tables,
    ...options,
  });
  return { tally, lines: [...tables.values()].flatMap((table) => table.lines()) };
}

const isServer = ({ kind }: Victim): boolean => kind === "server";
/** Some of all kinds; `npm run crash` takes all. */
const everyThird = allScenarios.filter((_, i) => i % 3 === 0).map(({ name }) => name);
const handful = ["BeginRun", "ChargeBudget", "BeginEffect, business key", "AppendEvent, shared state", "WriteValue"];

describe("a server on SQLite that is killed", () => {
  it(
    "at every step of every third mutating call, under load, loses nothing and does nothing twice",
    { timeout: 180_000 },
    async () => {
      const { tally, lines } = await matrix({ store: "sqlite:", calls: everyThird });
      expect(tally.violations).toEqual([]);
      expect(tally.counted("calls missed")).toBe(0);
      expect(tally.counted("entries")).toBeGreaterThan(0);
      const rows = lines.slice(1);
      expect(rows).toHaveLength(everyThird.length);
      for (const row of rows) expect(row).toMatch(/(?: +[1-9]){5}$/);
      expect(steps).toHaveLength(5);
    },
  );

  it("is found out when it replies before it commits", async () => {
    const { tally } = await matrix({
      store: "sqlite:",
      calls: ["ChargeBudget", "AppendEvent"],
      planted: "reply-before-commit",
      clients: 0,
      moments: (moment) => moment.kind === "step" && moment.step === "replied",
    });
    expect(tally.counted("lost")).toBeGreaterThan(0);
  });

  it("is found out when it forgets request ids", async () => {
    const { tally } = await matrix({
      store: "sqlite:",
      calls: ["ChargeBudget", "WriteValue"],
      planted: "request-ids-forgotten",
      clients: 0,
      moments: (moment) => moment.kind === "step" && moment.step === "committed",
    });
    expect(tally.violations.filter((one) => one.startsWith("duplicated: ChargeBudget"))).not.toEqual([]);
    expect(tally.violations.filter((one) => one.startsWith("duplicated: WriteValue"))).not.toEqual([]);
  });

  it("is found out when it removes index keys before it adds others", async () => {
    const { tally } = await matrix({
      store: "sqlite:",
      calls: ["EndRun"],
      planted: "index-removed-first",
      clients: 0,
      moments: (moment) => moment.kind === "step" && moment.step === "committed",
    });
    expect(tally.violations.filter((one) => one.startsWith("half done: EndRun"))).not.toEqual([]);
  });
});

// Databases of their own: those of the other suites must not die.
describePostgres("a PostgreSQL that is killed in the middle of calls", () => {
  it("as a whole, or one backend of it, loses nothing and does nothing twice", { timeout: 180_000 }, async () => {
    const at = ["decided", "committing", "committed"];
    const { tally } = await matrix({
      store: "postgres:",
      calls: handful,
      victims: ({ kind }) => kind === "outage",
      moments: (moment) => moment.kind === "step" && moment.nth === 1 && at.includes(moment.step),
    });
    expect(tally.violations).toEqual([]);
    expect(tally.counted("crashes")).toBe(2 * at.length);
    expect(tally.counted("calls missed")).toBe(0);
  });
});

/** The command as people run it, on ChargeBudget alone. */
function crash(...args: readonly string[]): Promise<{ readonly code: unknown; readonly out: string }> {
  const quick = ["--only", "ChargeBudget", "--clients", "0", "--kills", "0", "--images", "0", "--seed", "1"];
  return new Promise((resolve) => {
    execFile(process.execPath, [join(program, "../../main.js"), ...quick, ...args], (error, out, complaints) => {
      resolve({ code: error === null ? 0 : error.code, out: `${out}${complaints}` });
    });
  });
}

describe("the command, when a call", { timeout: 120_000 }, () => {
  it("fails, says which in its report, and exits with 1", async () => {
    const { code, out } = await crash("--plant", "call-refused");
    expect(out).toContain("call failed: ChargeBudget, undisturbed: INTERNAL: ");
    expect(out).toMatch(/^crashes 0, acknowledged writes 0, lost 0, duplicated 0, wrong otherwise 1 \(seed 1\)$/m);
    expect(code).toBe(1);
  });

  it("is never answered, does not wait for ever, says so in its report, and exits with 1", async () => {
    const { code, out } = await crash("--plant", "call-unanswered", "--patience", "1000");
    expect(out).toContain("call failed: ChargeBudget, undisturbed: ");
    expect(out).toMatch(/^crashes 0, .*, wrong otherwise 1 \(seed 1\)$/m);
    expect(code).toBe(1);
  });

  it("is to be given a bug that there is not, says which there are, and exits with 2", async () => {
    const { code, out } = await crash("--plant", "none");
    expect(out).toContain("reply-before-commit");
    expect(code).toBe(2);
  });
});
