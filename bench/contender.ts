import { fileURLToPath } from "node:url";
import { measureLoad, type Load, type Processes } from "./cpu.ts";
import { startServer } from "./server-process.ts";
import { measure, openAgent, type Sample, type Stepper } from "./steps.ts";
import { connectTape, openTape, type Tape } from "tape-journal";

/** Something that is measured. */
export interface Contender {
  readonly name: string;
  /** What it is measured at. */
  readonly concurrencies: readonly number[];
  measure(concurrency: number, milliseconds: number): Promise<Measured>;
  close(): Promise<void>;
}

/** A sample, and where the time went meanwhile. */
export interface Measured extends Sample {
  readonly load: Load;
}

/** Concurrent runs. */
const concurrencies: readonly number[] = [1, 16, 64];

/** Measures steppers; each measurement opens new ones. */
export function steppers(
  name: string,
  open: () => Stepper,
  close: () => Promise<void>,
  processes: Processes = {},
): Contender {
  return {
    name,
    concurrencies,
    measure: async (concurrency, milliseconds) => {
      const opened = Array.from({ length: concurrency }, open);
      const loaded = measureLoad(processes);
      const sample = await measure(opened, milliseconds);
      return { ...sample, load: loaded() };
    },
    close,
  };
}

/** The engine in this process. */
export async function embedded(storeUrl: string, databasePid?: number): Promise<Contender> {
  const tape = await openTape(storeUrl);
  return steppers("embedded", agentsOf(tape), () => tape.close(), { databasePid });
}

/** A server in a process of its own, and a client in this one. */
export async function overGrpc(storeUrl: string, databasePid?: number): Promise<Contender> {
  const program = fileURLToPath(new URL("./cli/main.js", import.meta.resolve("tape-journal")));
  const server = await startServer(program, storeUrl);
  const tape = connectTape(`tape://127.0.0.1:${server.port}`);
  const close = async (): Promise<void> => {
    await tape.close();
    await server.stop("SIGTERM");
  };
  return steppers("gRPC", agentsOf(tape), close, { serverPid: server.pid, databasePid });
}

function agentsOf(tape: Tape): () => Stepper {
  let agents = 0;
  return () => openAgent(tape, `agent-${(agents += 1)}`);
}
