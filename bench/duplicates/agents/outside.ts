import { argv, stdout } from "node:process";
import type { Assignment, PlannedRun, RunEnd, RunReport } from "../assignment.ts";
import type { AgentPoint } from "../crash-point.ts";

/** How a tool is called. */
export interface ToolCall {
  readonly answer: string;
  /** Only where the world honours it. */
  readonly idempotencyKey?: string;
}

/** What this process was started for. */
export function readAssignment(): { readonly assignment: Assignment; readonly args: readonly string[] } {
  const [, , json = "", ...args] = argv;
  return { assignment: JSON.parse(json) as Assignment, args };
}

/**
 * Everything outside an agent: the model, the tool, and the one who waits for it to come to its point in order to kill it.
 * All agents of the benchmark have the same.
 */
export class Outside {
  readonly #assignment: Assignment;

  constructor(assignment: Assignment) {
    this.#assignment = assignment;
  }

  /** Returns at once, but in a process that is to be killed here: there never. */
  async pass({ id, point }: PlannedRun, here: AgentPoint): Promise<void> {
    if (this.#assignment.phase === "begin" && point === here) await this.#ask("POST", `/parked/${id}`);
  }

  /** Asks the model, which is asked as often as this is called. */
  async askModel(run: PlannedRun): Promise<string> {
    await this.pass(run, "before-model");
    const answer = await this.#ask("POST", `/model/${run.id}`);
    await this.pass(run, "model-answered");
    return answer;
  }

  /** Acts; gives the receipt. */
  async callTool(run: PlannedRun, { answer, idempotencyKey }: ToolCall): Promise<string> {
    await this.pass(run, "tool-entered");
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    const receipt = await this.#ask("POST", `/acts/${run.id}`, { headers, body: answer });
    await this.pass(run, "tool-answered");
    return receipt;
  }

  /** The receipt of what was done for this run, if anything was. */
  async lookUp({ id }: PlannedRun): Promise<string | undefined> {
    const receipt = await this.#ask("GET", `/acts/${id}`);
    return receipt === "" ? undefined : receipt;
  }

  /**
   * How a careful user calls the tool in a step that may be executed again: under the step's idempotency key where the
   * world honours keys, after a look where it can be asked, and otherwise as it is.
   */
  async callToolCarefully(run: PlannedRun, answer: string, idempotencyKey: string): Promise<string> {
    if (this.#assignment.world === "keys") return this.callTool(run, { answer, idempotencyKey });
    const done = this.#assignment.world === "look-up" ? await this.lookUp(run) : undefined;
    return done ?? this.callTool(run, { answer });
  }

  /** Tells how a run stands. */
  report({ id }: PlannedRun, end: RunEnd): void {
    const report: RunReport = { run: id, end };
    stdout.write(`${JSON.stringify(report)}\n`);
  }

  async #ask(method: string, path: string, more: Pick<RequestInit, "headers" | "body"> = {}): Promise<string> {
    const response = await fetch(new URL(path, this.#assignment.worldUrl), { method, ...more });
    const text = await response.text();
    if (!response.ok) throw new Error(`the world answered ${method} ${path} with ${response.status}: ${text}`);
    return text;
  }
}
