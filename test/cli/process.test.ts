import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectTape } from "../../src/client/connect-tape.ts";
import { keepLog } from "../kept-logs.ts";

const main = join(import.meta.dirname, "../../dist/cli/main.js");

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tape-cli-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await once(child, "exit");
  }
  rmSync(folder, { recursive: true });
});

interface Running {
  readonly child: ChildProcess;
  /** The first line of standard output. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

function start(words: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  keepLog(child, import.meta.filename);
  const { stdout, stderr } = child;
  const firstLine = new Promise<string>((resolve) => {
    let seen = "";
    stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      const end = seen.indexOf("\n");
      if (end >= 0) resolve(seen.slice(0, end));
    });
  });
  const ended = Promise.all([text(stdout), text(stderr), once(child, "close")]).then(([out, err]) => ({
    code: child.exitCode,
    out,
    err,
  }));
  // A test that closes its end of a pipe does not wait for this.
  ended.catch(() => undefined);
  return { child, firstLine, ended };
}

/** Finds no Google credentials, and asks nobody on the network for them. */
const withoutCredentials = (): Readonly<Record<string, string>> => ({
  HOME: folder,
  CLOUDSDK_CONFIG: folder,
  METADATA_SERVER_DETECTION: "none",
  TAPE_SPANNER_EXPERIMENTAL: "1",
});

/** Starts a server on any free port. */
async function serve(store: string, words: readonly string[] = []): Promise<Running & { readonly url: string }> {
  const running = start(["serve", "--store", store, "--listen", "127.0.0.1:0", ...words]);
  const line = await Promise.race([running.firstLine, running.ended.then(({ err }) => err)]);
  const [url] = /tapes?:\/\/[\d.]+:\d+/.exec(line) ?? [];
  if (url === undefined) throw new Error(`no server: ${line}`);
  return { ...running, url };
}

describe("tape serve", () => {
  test("says where it listens, takes curl's JSON, and stops well on SIGTERM; the journal stays", async () => {
    const { child, firstLine, ended, url } = await serve("sqlite:./tape.db");
    await expect(firstLine).resolves.toMatch(
      /^Tape \d+\.\d+\.\d+ listens on tape:\/\/127\.0\.0\.1:\d+, store sqlite:\.\/tape\.db$/,
    );
    const response = await fetch(`${url.replace("tape", "http")}/tape.v1.Tape/BeginRun`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"appName": "hello", "invocationId": "1"}',
    });
    const { runId } = (await response.json()) as { runId: string };
    child.kill("SIGTERM");
    const { code, err } = await ended;
    expect(code).toBe(0);
    // Not on a terminal the log is JSON, a line each.
    for (const line of err.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");
    const shown = await start(["show", runId, "--store", "sqlite:./tape.db"]).ended;
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toMatch(new RegExp(`^${runId}  RUNNING\n`));
    // eslint-disable-next-line no-control-regex
    expect(shown.out).not.toMatch(/\u001B/);
  });

  test("a port in use leaves nothing behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const { code, out, err } = await start(["serve", "--listen", `127.0.0.1:${port}`]).ended;
    taken.close();
    expect({ code, out }).toEqual({ code: 78, out: "" });
    expect(err).toMatch(/^tape: .*127\.0\.0\.1:\d+: something else listens there.*\n$/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["a URL that is none", "nonsense", 78],
    ["a kind of store that there is not", "mysql://u:secret@h/db", 78],
    ["a folder that there is not", "sqlite:./none/tape.db", 73],
    ["a file that is no database", "sqlite:./text", 73],
  ])("%s is one line, and nothing is touched", async (_what, url, expected) => {
    writeFileSync(join(folder, "text"), "not a database\n".repeat(100));
    const { code, out, err } = await start(["serve", "--listen", "127.0.0.1:0", "--store", url]).ended;
    expect({ code, out }).toEqual({ code: expected, out: "" });
    expect(err).toMatch(/^tape: .+\n$/);
    expect(err).not.toContain("secret");
    expect(readdirSync(folder)).toEqual(["text"]);
    expect(readFileSync(join(folder, "text"), "utf8")).toBe("not a database\n".repeat(100));
  });

  test("a second signal ends what would still wait", async () => {
    const { child, ended, url } = await serve("memory:", ["--grace-ms", "600000"]);
    const { hostname, port } = new URL(url);
    const unfinished = connect(Number(port), hostname).on("error", () => undefined);
    unfinished.write("POST /tape.v1.Tape/GetRun HTTP/1.1\r\nhost: tape\r\ncontent-type: application/json\r\n");
    unfinished.write("content-length: 100\r\n\r\n{");
    const stopping = new Promise<void>((resolve) => {
      child.stderr?.on("data", (chunk: Buffer) => chunk.includes('"stopping"') && resolve());
    });
    // The server has seen the request once it answers another one.
    await (await fetch(`http://${hostname}:${port}/healthz`)).text();
    child.kill("SIGTERM");
    await stopping;
    child.kill("SIGINT");
    await expect(ended).resolves.toMatchObject({ code: 130 });
    unfinished.destroy();
  });
});

describe("the environment", () => {
  test("says where the store and the server are", async () => {
    const config = await start(["config", "--json"], { TAPE_STORE: "sqlite:./other.db" }).ended;
    expect(JSON.parse(config.out)).toContainEqual({
      name: "store",
      env: "TAPE_STORE",
      value: "sqlite:./other.db",
      source: "environment",
    });
    const { url } = await serve("memory:");
    const show = await start(["show", "run-none"], { TAPE_SERVER: url }).ended;
    expect(show).toMatchObject({ code: 1, out: "" });
    expect(show.err).toMatch(/^tape: run run-none does not exist\. .*\n$/);
  });

  test("a token comes from there", async () => {
    writeFileSync(join(folder, "tokens"), "acme:token-of-acme-01\n");
    const { url } = await serve("memory:", ["--auth", "token", "--tokens-file", "tokens"]);
    const TAPE_SERVER = url;
    const without = await start(["show", "run-none"], { TAPE_SERVER }).ended;
    expect(without.code).toBe(77);
    const withToken = await start(["show", "run-none"], { TAPE_SERVER, TAPE_TOKEN: "token-of-acme-01" }).ended;
    expect(withToken.code).toBe(1);
  });
});

describe("tape migrate", () => {
  test("only says what it would do, then does it, then has nothing to do", async () => {
    const words = ["migrate", "--store", "sqlite:./tape.db"];
    const dry = await start([...words, "--dry-run"]).ended;
    expect(dry.code).toBe(0);
    expect(dry.out).toMatch(/^0001 {2}\w+\n[\s\S]*pending\n$/);
    expect(existsSync(join(folder, "tape.db"))).toBe(false);
    const script = (await start([...words, "--dry-run", "--sql"]).ended).out;
    // What is not SQL is a comment in it: it can be piped on as it is.
    expect(script).toMatch(
      /^-- 0001 {2}\w+\n\n[\s\S]*create table tape_rows [\s\S]*;\n\n-- sqlite:\.\/tape\.db: .*pending\n$/,
    );
    expect((await start(words).ended).out).toContain("applied");
    expect((await start(words).ended).out).toBe("sqlite:./tape.db: up to date\n");
  });
});

describe("tape tail", () => {
  test("ends quietly when its reader has gone, and at Ctrl-C", async () => {
    const { url } = await serve("memory:");
    await using tape = connectTape(url);
    const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
    const words = ["tail", "--from", "start", "--server", url];
    const read = start(words);
    await expect(read.firstLine).resolves.toContain(runId);
    read.child.stdout?.destroy();
    const over = once(read.child, "exit");
    const writing = setInterval(() => void tape.chargeBudget({ runId, tokens: 1 }), 20);
    await over;
    clearInterval(writing);
    expect(read.child.exitCode).toBe(0);
    const interrupted = start(words);
    await interrupted.firstLine;
    interrupted.child.kill("SIGINT");
    await expect(interrupted.ended).resolves.toMatchObject({ code: 130, err: "" });
  });

  test("goes on when the server comes back", async () => {
    const first = await serve("sqlite:./tape.db");
    const port = new URL(first.url).port;
    await using tape = connectTape(first.url);
    const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
    const tail = start(["tail", "--from", "start", "--limit", "2", "--server", first.url]);
    await tail.firstLine;
    first.child.kill("SIGKILL");
    await first.ended;
    start(["serve", "--store", "sqlite:./tape.db", "--listen", `127.0.0.1:${port}`]);
    await tape.chargeBudget({ runId, tokens: 7 });
    const { code, out, err } = await tail.ended;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => line.split(/ {2,}/)[2]),
    ).toEqual(["run running", "budget charged"]);
  });
});

describe("tape dev", () => {
  test("serves and prints its journal", async () => {
    const dev = start(["dev", "--store", "memory:", "--listen", "127.0.0.1:0"]);
    const [url = ""] = /tape:\/\/[\d.]+:\d+/.exec(await dev.firstLine) ?? [];
    await using tape = connectTape(url);
    let printed = "";
    // Before there is anything to print: what comes while nobody listens is not told again.
    dev.child.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const { runId } = await tape.beginRun({ appName: "a", invocationId: "i" });
    await expect.poll(() => printed).toContain(runId);
    dev.child.kill("SIGINT");
    await expect(dev.ended).resolves.toMatchObject({ code: 0, err: "" });
  });
});

test("an old Node is told what it is", async () => {
  const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.0" } });`;
  writeFileSync(join(folder, "old.cjs"), versions);
  const child = spawn(process.execPath, ["--require", join(folder, "old.cjs"), main, "version"]);
  children.push(child);
  keepLog(child, import.meta.filename);
  const [err] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect(child.exitCode).toBe(78);
  expect(err).toMatch(/^tape: Tape needs Node\.js 20\.19 or newer, and this is 18\.20\.0\. .*\n$/);
});

test.each(["bigtable://project/instance/table", "spanner://project/instance/database"])(
  "%s without Google credentials is one line that says what to do, and no stack",
  async (store) => {
    const { ended } = start(["serve", "--store", store, "--listen", "127.0.0.1:0"], withoutCredentials());
    const { code, out, err } = await ended;
    expect({ code, out }).toEqual({ code: 73, out: "" });
    expect(err).toMatch(/^tape: .*no usable Application Default Credentials: run gcloud auth.*\n$/);
  },
);
