import { connectTape, type Tape, TapeError } from "../client/index.ts";
import { openBank } from "./bank.ts";
import { type Bank, connectBank } from "./bank-client.ts";
import { leaveParent, parentGatekeeper } from "./child-gate.ts";
import { type Gatekeeper, probed } from "./probe.ts";
import { scriptedModel } from "./scripted-model.ts";
import { runTreasuryAgent } from "./treasury-agent.ts";
import { runWireDispatcher } from "./wire-dispatcher.ts";

/** What agent and dispatcher are told on the command line. */
export interface ProgramOptions {
  readonly server: string;
  readonly bank: string;
  readonly connector: string;
  readonly name: string;
  /** A parent process decides at every call when the program goes on. */
  readonly watched?: boolean | undefined;
}

/** Options of {@link runAgentProgram}. */
export interface AgentProgramOptions extends ProgramOptions {
  readonly invocation: string;
  readonly modelLog: string;
}

/** The agent as a process: resolves when the run has ended. */
export async function runAgentProgram(options: AgentProgramOptions, say: (line: string) => void): Promise<void> {
  const { invocation, connector, name } = options;
  await withWorld(options, (world) => {
    const model = watch(scriptedModel(options.modelLog), "model.", world.gatekeeper);
    return runTreasuryAgent({ ...world, model, invocation, connector, owner: name, say });
  });
}

/** The dispatcher as a process: resolves when the signal has fired. */
export async function runDispatcherProgram(
  options: ProgramOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { connector, name } = options;
  await withWorld(options, (world) => runWireDispatcher({ ...world, connector, claimer: name, say, signal }));
}

/** Options of {@link runBankProgram}. */
export interface BankProgramOptions {
  readonly ledger: string;
  readonly port: number;
  readonly loseFirstWireAnswer?: boolean | undefined;
}

/** The bank as a process: resolves when the signal has fired. */
export async function runBankProgram(
  { ledger, port, loseFirstWireAnswer = false }: BankProgramOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const bank = await openBank({ ledgerFile: ledger, port, loseFirstWireAnswer, say });
  say(`listens on ${bank.url}`);
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  await bank.close();
}

interface World {
  readonly tape: Tape;
  readonly bank: Bank;
  readonly gatekeeper: Gatekeeper | null;
}

async function withWorld(
  { server, bank, watched }: ProgramOptions,
  run: (world: World) => Promise<void>,
): Promise<void> {
  const gatekeeper = watched === true ? parentGatekeeper() : null;
  const tape = connectTape(server);
  try {
    await run({
      tape: watch(tape, "", gatekeeper),
      bank: watch(connectBank(bank), "bank.", gatekeeper),
      gatekeeper,
    });
  } catch (cause) {
    if (cause instanceof TapeError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TapeError("SERVER_UNAVAILABLE", `${why}; started again, the program goes on where it stopped`, { cause });
  } finally {
    await tape.close();
    if (watched === true) leaveParent();
  }
}

function watch<T extends object>(target: T, prefix: string, gatekeeper: Gatekeeper | null): T {
  return gatekeeper === null ? target : probed(target, prefix, gatekeeper);
}
