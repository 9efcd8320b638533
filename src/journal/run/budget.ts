import { TapeError } from "../../errors.ts";
import type {
  AdmitBudgetRequest,
  AdmitBudgetResponse,
  BudgetState,
  ChargeBudgetRequest,
  SetBudgetRequest,
} from "../../model/budget.ts";
import type { Limits } from "../limits.ts";
import { accept, type Decide } from "../row.ts";
import { dollars, integer, microDollars, requiredId } from "../validate.ts";
import { chargeEvent, type RunEvent } from "./events.ts";
import { isRepeat, mustBeOpen, mustBeWritable, mustExist, remember } from "./guard.ts";
import type { Run } from "./run.ts";
import { budgetView } from "./views.ts";

function amount(name: string, value: number | undefined): number {
  const checked = integer(name, value);
  if (checked < 0) throw new TapeError("ARGUMENT_INVALID", `${name} must not be negative`);
  return checked;
}

/** A cap in dollars: 0 or less means none (R35). */
function usdCap(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value <= 0 ? 0 : microDollars("usd_cap", value);
}

/** SetBudget (R36): spending stays. */
export function setBudget(request: SetBudgetRequest, limits: Limits): Decide<Run, RunEvent, BudgetState> {
  const runId = requiredId("run_id", request.runId, limits);
  const caps = { usdCap: usdCap(request.usdCap), tokenCap: Math.max(0, integer("token_cap", request.tokenCap)) };
  return (run, context) => {
    mustBeWritable(run, runId, context);
    // Sent again late, it must not put back what somebody has set since (R3).
    if (isRepeat(run.requests, context)) return accept([], budgetView(run));
    mustBeOpen(run, "setting the budget");
    const { usdCap: usd, tokenCap: tokens } = run.budget;
    const events: RunEvent[] = usd === caps.usdCap && tokens === caps.tokenCap ? [] : [{ kind: "head/caps", ...caps }];
    const budget = { ...budgetView(run), usdCap: dollars(caps.usdCap), tokenCap: caps.tokenCap };
    return accept([...events, ...remember(context)], budget);
  };
}

/** AdmitBudget (R36): would this still fit? */
export function admitBudget(request: AdmitBudgetRequest, limits: Limits): Decide<Run, RunEvent, AdmitBudgetResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const usd = microDollars("usd_estimate", request.usdEstimate);
  const tokens = amount("token_estimate", request.tokenEstimate);
  return (run) => {
    mustExist(run, runId);
    const { usdCap: usdLimit, usdSpent, tokenCap, tokensSpent } = run.budget;
    const over: string[] = [];
    if (usdLimit > 0 && usdSpent + usd > usdLimit) {
      over.push(`${dollars(usdSpent)} USD spent and ${dollars(usd)} asked for exceed the cap of ${dollars(usdLimit)}`);
    }
    if (tokenCap > 0 && tokensSpent + tokens > tokenCap) {
      over.push(`${tokensSpent} tokens spent and ${tokens} asked for exceed the cap of ${tokenCap}`);
    }
    return accept([], { admitted: over.length === 0, reason: over.join("; "), budget: budgetView(run) });
  };
}

/** ChargeBudget (R36): adds and journals, also over the cap: what was spent was spent. */
export function chargeBudget(request: ChargeBudgetRequest, limits: Limits): Decide<Run, RunEvent, BudgetState> {
  const runId = requiredId("run_id", request.runId, limits);
  const usd = microDollars("usd", request.usd);
  const tokens = amount("tokens", request.tokens);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    if (isRepeat(run.requests, context)) return accept([], budgetView(run));
    mustBeOpen(run, "charging the budget");
    const { usdSpent, tokensSpent } = run.budget;
    if (!Number.isSafeInteger(usdSpent + usd) || !Number.isSafeInteger(tokensSpent + tokens)) {
      throw new TapeError("ARGUMENT_INVALID", `the spending of run ${runId} would exceed what can be counted exactly`);
    }
    return accept([chargeEvent(run, usd, tokens), ...remember(context)], {
      ...budgetView(run),
      usdSpent: dollars(usdSpent + usd),
      tokensSpent: tokensSpent + tokens,
    });
  };
}
