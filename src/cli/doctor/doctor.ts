import { TapeError } from "../../errors.ts";
import { packageVersion } from "../../package-version.ts";
import { loadConfig } from "../../server/config.ts";
import type { ConfigFlags, Environment } from "../../server/settings.ts";
import type { Tape } from "../../model/tape.ts";
import { examineStore } from "../../store/open-store.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";
import { readRun } from "../run-report.ts";
import { type AccessOptions, openAccess, repeatAccess, useTape } from "../tape-access.ts";
import { doctorCode, findingJson, findingLines, summary, tally } from "./doctor-report.ts";
import { dumpOfRun } from "./dump-run.ts";
import { checkAuth, checkConfig, checkNode, checkTls } from "./environment.ts";
import { type Checkup, fail, type Finding, skipped } from "./finding.ts";
import { gcpCheckup } from "./gcp/gcp-checkup.ts";
import { endpointOverrides } from "./gcp/google/endpoint-overrides.ts";
import type { JournalScene } from "./journal-scene.ts";
import { liveCheckup } from "./live.ts";
import { runCheckup } from "./run-checkup.ts";
import { serverCheckup } from "./server-checkup.ts";
import { storeCheckup } from "./store-checkup.ts";

/** What is to be checked, and what is to be done with it: the flags of `tape doctor` beside those of a server. */
export interface DoctorOptions {
  readonly selfTest: boolean;
  readonly live?: true;
  readonly gcp?: true;
  readonly project?: string;
  readonly region?: string;
  readonly service?: string;
  readonly publicIngress?: true;
  readonly secret?: string;
  readonly serviceAccount?: string;
  readonly fix?: true;
  readonly strict?: true;
  readonly json?: true;
  readonly server?: string;
  readonly token?: string;
  readonly run?: string;
  readonly dumpRun?: string;
}

/** `tape doctor`: examines, tells, repairs if asked, and sets the exit code. */
export async function runDoctor(options: DoctorOptions & ConfigFlags, context: CommandContext): Promise<void> {
  if (options.dumpRun !== undefined) return dumpRun(options.dumpRun, options, context);
  const signal = context.interruption();
  const checkup = whole(options, context);
  let findings = await collect(checkup, signal, (finding) => tell(finding, options, context));
  const repairs = await repairAll(findings, options, context, signal);
  if (repairs.length > 0) {
    if (options.json === undefined) context.terminal.print("\nAnd once more:\n");
    findings = await collect(checkup, signal, (finding) => tell(finding, options, context));
  }
  const code = signal.aborted ? exitCodes.interrupted : doctorCode(findings, options.strict === true);
  if (options.json === true) {
    const report = {
      version: packageVersion(),
      exitCode: code,
      summary: tally(findings),
      findings: findings.map(findingJson),
      repairs,
    };
    context.terminal.print(JSON.stringify(report, undefined, 2));
  } else {
    context.terminal.print(`\n${summary(findings)}`);
  }
  context.exit(code);
}

/** What was asked for, in the order in which it is of use. */
function whole(options: DoctorOptions & ConfigFlags, context: CommandContext): Checkup {
  return async function* (signal) {
    const ofJournal = journalCheckups(options);
    if (ofJournal.length === 0 && options.gcp === undefined) yield* environment(options, context)(signal);
    if (ofJournal.length > 0) yield* journal(ofJournal, options, context, signal);
    if (options.gcp === true) yield* cloud(options, context)(signal);
  };
}

type JournalCheckup = (scene: JournalScene) => Checkup;

/** What is to be asked of the journal. */
function journalCheckups({ server, live, run }: DoctorOptions): readonly JournalCheckup[] {
  return [
    ...(server === undefined ? [] : [serverCheckup]),
    ...(live === undefined ? [] : [liveCheckup]),
    ...(run === undefined ? [] : [(scene: JournalScene) => runCheckup(run, scene)]),
  ];
}

/** Opens the journal, or reaches its server, once for all; that it cannot be had is a finding. */
async function* journal(
  checkups: readonly JournalCheckup[],
  options: DoctorOptions & ConfigFlags,
  context: CommandContext,
  signal: AbortSignal,
): AsyncIterable<Finding> {
  const way = options.server === undefined ? "store.open" : "server.ready";
  let tape: Tape;
  try {
    tape = await openAccess(access(options, context), context);
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    yield fail(way, error.message, options.server === undefined ? ["tape doctor"] : ["tape serve"]);
    return;
  }
  const scene = { tape, now: context.now(), access: accessWords(options, context) };
  try {
    for (const checkup of checkups) {
      for await (const finding of checkup(scene)(signal)) {
        yield finding;
        // Everything else would say the same again.
        if (finding.id === "server.ready" && finding.outcome === "fail") return;
      }
    }
    if (options.live === true && options.server === undefined) yield* storeLive(options, context)(signal);
  } finally {
    await tape.close();
  }
}

/** What only the database itself can say of a journal in use. */
function storeLive({ store }: ConfigFlags, { env }: CommandContext): Checkup {
  return async function* (signal) {
    const { live } = await examineStore(storeUrlOf({ store }, env), { environment: env });
    yield* live(signal);
  };
}

/** The installation on Google Cloud. */
function cloud(options: DoctorOptions & ConfigFlags, { env }: CommandContext): Checkup {
  const { store, project, region, service, secret, serviceAccount, publicIngress } = options;
  return gcpCheckup({
    project,
    region,
    service,
    secret,
    serviceAccount,
    publicIngress,
    storeUrl: storeUrlOf({ store }, env),
    environment: env,
    endpoints: endpointOverrides(env),
  });
}

/** The store that is meant, whatever else of the settings cannot be used. */
const storeUrlOf = ({ store }: ConfigFlags, env: Environment): string =>
  loadConfig({ store }, { TAPE_STORE: env["TAPE_STORE"] }).store;

/** This machine, its settings and its store. */
function environment(options: DoctorOptions & ConfigFlags, context: CommandContext): Checkup {
  const { env, now } = context;
  return async function* (signal) {
    yield checkNode(process.versions.node);
    const { config, finding } = checkConfig(options, env);
    yield finding;
    if (config === undefined) {
      yield skipped("store.url", "the settings must be mended first");
      return;
    }
    yield checkAuth(config);
    yield checkTls(config, now());
    yield* storeCheckup({ url: config.store, env, selfTest: options.selfTest, access: accessWords(options, context) })(
      signal,
    );
  };
}

/** The Tape to ask about runs: a server's where one is named, else the store's own. */
function access({ server, token, store }: DoctorOptions & ConfigFlags, { env }: CommandContext): AccessOptions {
  if (server !== undefined) return token === undefined ? { server } : { server, token };
  return { store: storeUrlOf({ store }, env) };
}

/** How a command that is suggested gets there too. */
function accessWords({ server, store }: DoctorOptions & ConfigFlags, { env }: CommandContext): string {
  if (server !== undefined) return repeatAccess({ server });
  const byVariable = ' --store "$TAPE_STORE"';
  if (typeof store === "string") return repeatAccess({ store }) || byVariable;
  return env["TAPE_STORE"] ? byVariable : repeatAccess({ store: loadConfig({}, {}).store });
}

async function dumpRun(runId: string, options: DoctorOptions & ConfigFlags, context: CommandContext): Promise<void> {
  const report = await useTape(access(options, context), context, (tape) => readRun(tape, runId));
  context.terminal.print(JSON.stringify(dumpOfRun(report, packageVersion(), context.now()), undefined, 2));
}

async function collect(checkup: Checkup, signal: AbortSignal, told: (finding: Finding) => void): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of checkup(signal)) {
    if (signal.aborted) break;
    findings.push(finding);
    told(finding);
  }
  return findings;
}

function tell(finding: Finding, { json }: DoctorOptions, { terminal }: CommandContext): void {
  if (json === true) return;
  for (const line of findingLines(finding, terminal)) terminal.print(line);
}

interface Repaired {
  readonly id: string;
  readonly does: string;
  readonly done: string;
}

/** Does what may be done, each named before it is done; what fails is said and does not stop the next. */
async function repairAll(
  findings: readonly Finding[],
  { fix, json }: DoctorOptions,
  { terminal }: CommandContext,
  signal: AbortSignal,
): Promise<readonly Repaired[]> {
  const repairs = findings.flatMap(({ id, repair }) => (repair === undefined ? [] : [{ id, repair }]));
  const say = (line: string): void => {
    if (json === undefined) terminal.print(line);
  };
  if (fix === undefined) {
    if (repairs.length > 0) say(`\n--fix would: ${repairs.map((one) => one.repair.does).join("; ")}`);
    return [];
  }
  const done: Repaired[] = [];
  for (const {
    id,
    repair: { does, run },
  } of repairs) {
    if (signal.aborted) break;
    say(`\nfix  ${id}: ${does}`);
    const what = await run(signal).catch((error: unknown) => {
      if (!(error instanceof TapeError)) throw error;
      return `failed: ${error.message}`;
    });
    say(`     ${what}`);
    done.push({ id, does, done: what });
  }
  return done;
}
