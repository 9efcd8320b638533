import { type BeginRunResult, type EffectRecord, type Tape, TapeError } from "../client/index.ts";
import type { Bank } from "./bank-client.ts";
import { dollars } from "./bank.ts";
import { parseObject } from "./json-lines.ts";
import { type Answer, decodeAnswer, type Model } from "./scripted-model.ts";

/** What the agent works with. */
export interface TreasuryAgentOptions {
  readonly tape: Tape;
  readonly bank: Bank;
  readonly model: Model;
  /** Names the work: whoever starts with the same name takes part in the same run. */
  readonly invocation: string;
  /** Names this process. */
  readonly owner: string;
  /** Who carries out wires; see the dispatcher. */
  readonly connector: string;
  readonly say: (line: string) => void;
}

/**
 * A treasury agent: asks a model what to do, sweeps cash, wires a payment, until the model is content.
 *
 * It is written as if nothing could go wrong. Kill it anywhere and start it again: it comes back to where it was, since
 * every answer and every act is on the tape before the next one builds on it.
 */
export async function runTreasuryAgent(options: TreasuryAgentOptions): Promise<void> {
  const { tape, bank, model, say } = options;
  const { runId, leaseEpoch, status, resumed } = await takeRun(options);
  if (status !== "RUNNING") return say(`${runId} is ${status}: nothing left to do`);
  say(`${resumed ? "takes over" : "begins"} ${runId}`);

  const fenced = { leaseEpoch };
  const facts: string[] = [];
  await tape.setBudget({ runId, usdCap: 1, tokenCap: 100_000 }, fenced);

  for (let index = 0; ; index += 1) {
    const answer = await decide(index);
    if (answer.action === "finish") break;
    facts.push(answer.action === "sweep" ? await sweep(index, answer) : await wire(index, answer));
  }
  await tape.endRun({ runId, status: "TERMINAL", detailJson: JSON.stringify(facts) }, fenced);
  say("ends the run");

  /** Asks the model once per index, and pays once per index. */
  async function decide(index: number): Promise<Answer> {
    const { decision } = await tape.getDecision({ runId, decisionIndex: index });
    const answer = decision === undefined ? await ask(index) : decodeAnswer(decision.responseJson);
    say(`decision ${index}${decision === undefined ? "" : " is on record, the model is not asked"}: ${answer.text}`);
    await tape.chargeBudget({ runId, ...model.price(index) }, { ...fenced, requestId: `charge-decision-${index}` });
    return answer;
  }

  async function ask(index: number): Promise<Answer> {
    const price = model.price(index);
    const { admitted, reason } = await tape.admitBudget({ runId, usdEstimate: price.usd, tokenEstimate: price.tokens });
    if (!admitted) throw new Error(`the budget does not allow decision ${index}: ${reason}`);
    const answer = await model.ask(index, facts);
    const requestJson = JSON.stringify({ facts });
    const responseJson = JSON.stringify(answer);
    await tape.recordDecision({ runId, decisionIndex: index, model: model.name, requestJson, responseJson }, fenced);
    return answer;
  }

  /** The bank honours the key, so the agent may simply act again when nobody knows whether it did. */
  async function sweep(index: number, { cents, account }: Answer): Promise<string> {
    const requestJson = JSON.stringify({ cents, account });
    const effect = await tape.beginEffect({ runId, decisionIndex: index, toolName: "sweep", requestJson }, fenced);
    if (effect.status === "CONFIRMED") return effect.responseJson;
    const booking = await bank.sweep({ cents, account }, effect.idempotencyKey);
    const responseJson = JSON.stringify(booking);
    await tape.completeEffect(
      { runId, idempotencyKey: effect.idempotencyKey, status: "CONFIRMED", responseJson },
      fenced,
    );
    return responseJson;
  }

  /** The bank honours nothing here, so the agent only orders the wire; it may be ordered anew once it surely failed. */
  async function wire(index: number, { cents, account }: Answer): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      const begun = await tape.beginEffect(
        {
          runId,
          decisionIndex: index,
          toolName: "wire",
          callIndex: attempt,
          requestJson: JSON.stringify({ cents, account }),
          semantics: "NON_IDEMPOTENT",
          dispatchMode: "OUTBOX",
          connector: options.connector,
          businessKey: `${options.invocation}/invoice-2041/${attempt}`,
          scope: "payments:wire",
        },
        fenced,
      );
      const settled = await outcome(begun.idempotencyKey);
      if (settled.status === "CONFIRMED") return settled.responseJson;
      say(`${dollars(cents)} were surely not wired: orders the wire again`);
    }
  }

  /** Follows the run until somebody has settled the effect. The lease may run out meanwhile: the epoch still fences. */
  async function outcome(idempotencyKey: string): Promise<EffectRecord> {
    for await (const { kind, payloadJson } of tape.subscribeRun({ runId })) {
      const payload = parseObject(payloadJson);
      const isIts = kind === "effect" && payload["idempotency_key"] === idempotencyKey;
      if (!isIts || (payload["status"] !== "CONFIRMED" && payload["status"] !== "FAILED")) continue;
      const { effect } = await tape.getEffect({ runId, idempotencyKey });
      if (effect !== undefined) return effect;
    }
    throw new Error("the run ended while a wire was under way");
  }
}

/** What the run is known by. */
export function identity(invocation: string): { appName: string; userId: string; invocationId: string } {
  return { appName: "treasury", userId: "demo", invocationId: invocation };
}

/** Begins the run, or takes it over as soon as the lease of a dead process has run out. */
async function takeRun({ tape, invocation, owner }: TreasuryAgentOptions): Promise<BeginRunResult> {
  for (;;) {
    try {
      return await tape.beginRun({
        ...identity(invocation),
        leaseOwner: owner,
        leaseTtlMs: 1_000,
        scopes: ["payments:wire"],
      });
    } catch (error) {
      if (!(error instanceof TapeError && error.reason === "LEASE_HELD")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
