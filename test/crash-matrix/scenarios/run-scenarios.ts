import { runIdOf } from "../../../src/codec/row-id.ts";
import { begin, farFuture, identityOf, leaseMs, onRun, onRunning, promise } from "./run-scene.ts";
import { scenario, type Scenario } from "./scenario.ts";

const gateName = "approval";
const resolutionJson = '{"by":"ada"}';

/** Calls of an agent, of those who wake it, and of those who tidy up after it. */
export const runScenarios: readonly Scenario[] = [
  scenario("BeginRun", "beginRun", async (_tape, name) => {
    const identity = identityOf(name);
    const runId = runIdOf({ ...identity, tenantId: "" });
    return onRun(runId, name, (tape, options) => tape.beginRun(identity, options));
  }),
  scenario("ResumeRun", "resumeRun", async (tape, name) => {
    const runId = await begin(tape, name);
    await tape.awaitSignal({ runId, gateName });
    await tape.sendSignal({ runId, gateName, resolutionJson });
    return onRun(
      runId,
      name,
      (caller, options) => caller.resumeRun({ runId, leaseOwner: name, leaseTtlMs: leaseMs }, options),
      ["recover"],
    );
  }),
  scenario("EndRun", "endRun", async (tape, name) => {
    const runId = await begin(tape, name);
    await tape.recordDecision({ runId, decisionIndex: 0, responseJson: "[1]" });
    return onRun(runId, name, (caller, options) =>
      caller.endRun({ runId, status: "FAILED", detailJson: '{"why":1}' }, options),
    );
  }),
  scenario("EndRun, to be undone", "endRun", async (tape, name) => {
    const runId = await begin(tape, name);
    await promise(tape, runId);
    return onRun(runId, name, (caller, options) => caller.endRun({ runId, status: "COMPENSATING" }, options), [
      "unresolved",
    ]);
  }),
  scenario("RecordDecision", "recordDecision", async (tape, name) => {
    const runId = await begin(tape, name);
    const decision = { runId, decisionIndex: 3, model: "m", requestJson: "{}", responseJson: "[1]", rationale: "why" };
    return onRunning(runId, name, (caller, options) => caller.recordDecision(decision, options));
  }),
  scenario("SetBudget", "setBudget", async (tape, name) => {
    const runId = await begin(tape, name);
    return onRunning(runId, name, (caller, options) => caller.setBudget({ runId, usdCap: 5, tokenCap: 50 }, options));
  }),
  scenario("ChargeBudget", "chargeBudget", async (tape, name) => {
    const runId = await begin(tape, name);
    return onRunning(runId, name, (caller, options) => caller.chargeBudget({ runId, usd: 0.25, tokens: 7 }, options));
  }),
  scenario("AwaitSignal", "awaitSignal", async (tape, name) => {
    const runId = await begin(tape, name);
    return onRun(runId, name, (caller, options) =>
      caller.awaitSignal({ runId, gateName, payloadJson: '{"ask":1}' }, options),
    );
  }),
  scenario("SendSignal", "sendSignal", async (tape, name) => {
    const runId = await begin(tape, name);
    await tape.awaitSignal({ runId, gateName });
    return onRun(runId, name, (caller, options) => caller.sendSignal({ runId, gateName, resolutionJson }, options), [
      "recover",
    ]);
  }),
  scenario("SendSignal, by session", "sendSignal", async (tape, name) => {
    const runId = await begin(tape, name);
    const { appName, userId, sessionId } = identityOf(name);
    await tape.awaitSignal({ runId, gateName });
    const signal = { appName, userId, sessionId, gateName, resolutionJson };
    return onRun(runId, name, (caller, options) => caller.sendSignal(signal, options), ["recover"]);
  }),
  scenario("SendSignal, before the wait", "sendSignal", async (tape, name) => {
    const runId = await begin(tape, name);
    return onRunning(runId, name, (caller, options) => caller.sendSignal({ runId, gateName, resolutionJson }, options));
  }),
  scenario("SetTimer", "setTimer", async (tape, name) => {
    const runId = await begin(tape, name);
    const timer = { runId, timerId: "t", fireAtMs: farFuture, kind: "wake", payloadJson: "{}" };
    return onRunning(runId, name, (caller, options) => caller.setTimer(timer, options), ["timers"]);
  }),
  scenario("CancelTimer", "cancelTimer", async (tape, name) => {
    const runId = await begin(tape, name);
    await tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind: "wake" });
    return onRunning(runId, name, (caller, options) => caller.cancelTimer({ runId, timerId: "t" }, options), [
      "timers",
    ]);
  }),
  scenario(
    "ListDueTimers, claim",
    "listDueTimers",
    async (tape, name, turn) => {
      const runId = await begin(tape, name);
      // Of those of other scenarios, whose turns come later, none is due by then.
      const nowMs = 1_000_000 + turn;
      await tape.setTimer({ runId, timerId: "t", fireAtMs: nowMs, kind: "wake" });
      return onRunning(runId, name, (caller, options) => caller.listDueTimers({ nowMs, claim: true }, options));
    },
    { answersAgain: false },
  ),
  scenario(
    "CompactRun",
    "compactRun",
    async (tape, name) => {
      const runId = await begin(tape, name);
      await tape.recordDecision({ runId, decisionIndex: 0, requestJson: '{"much":"text"}', responseJson: "[1]" });
      await tape.endRun({ runId, status: "TERMINAL", detailJson: "{}" });
      return onRun(runId, name, (caller, options) => caller.compactRun({ runId }, options));
    },
    { answersAgain: false },
  ),
];
