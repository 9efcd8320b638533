import { connectTape, type RunStatus } from "../client/index.ts";
import { numberField, parseObject, textField } from "./json-lines.ts";
import { type Booking, readLedger } from "./ledger.ts";
import { type Answer, decodeAnswer, type ModelCall, readModelCalls } from "./scripted-model.ts";
import { identity } from "./treasury-agent.ts";

/** What the three who took part say happened: the bank, the model and the tape. */
export interface Evidence {
  readonly ledger: readonly Booking[];
  readonly modelCalls: readonly ModelCall[];
  readonly runStatus: RunStatus;
  /** As recorded, by decision index. */
  readonly answers: ReadonlyMap<number, Answer>;
  /** The last status of each effect, by its key. */
  readonly effects: ReadonlyMap<string, { readonly tool: string; readonly status: string }>;
  readonly charges: number;
  /** Millionths of a dollar. */
  readonly microUsdSpent: number;
  readonly tokensSpent: number;
}

/** Where to look for evidence. */
export interface EvidenceOptions {
  readonly serverUrl: string;
  readonly invocation: string;
  readonly ledgerFile: string;
  readonly modelLog: string;
}

/** Reads the ledger, the model's log and the whole journal of the run. */
export async function gatherEvidence(options: EvidenceOptions): Promise<Evidence> {
  await using tape = connectTape(options.serverUrl);
  // Beginning a run that has ended only tells its id and status (R10).
  const { runId, status } = await tape.beginRun(identity(options.invocation));
  const answers = new Map<number, Answer>();
  const effects = new Map<string, { tool: string; status: string }>();
  let charges = 0;
  let microUsdSpent = 0;
  let tokensSpent = 0;
  if (status === "TERMINAL") {
    for await (const { kind, payloadJson } of tape.subscribeRun({ runId })) {
      const payload = parseObject(payloadJson);
      if (kind === "effect") {
        effects.set(textField(payload, "idempotency_key"), {
          tool: textField(payload, "tool"),
          status: textField(payload, "status"),
        });
      } else if (kind === "decision") {
        const decisionIndex = numberField(payload, "decision_index");
        const { decision } = await tape.getDecision({ runId, decisionIndex });
        if (decision !== undefined) answers.set(decisionIndex, decodeAnswer(decision.responseJson));
      } else if (kind === "budget") {
        charges += 1;
        microUsdSpent = Math.round(numberField(payload, "usd_spent") * 1e6);
        tokensSpent = numberField(payload, "tokens_spent");
      }
    }
  }
  return {
    ledger: readLedger(options.ledgerFile),
    modelCalls: readModelCalls(options.modelLog),
    runStatus: status,
    answers,
    effects,
    charges,
    microUsdSpent,
    tokensSpent,
  };
}
