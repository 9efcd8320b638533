import { expect, test } from "vitest";
import type { RpcName } from "../rpc/rpc-methods.ts";
import { callMetadata } from "./call-metadata.ts";

const id = expect.stringMatching(/^[0-9a-f]{32}$/);

test.each<[RpcName, object, unknown]>([
  ["setBudget", { runId: "r" }, id],
  ["chargeBudget", { runId: "r" }, id],
  ["sendSignal", { gateName: "g" }, id],
  ["endRun", { runId: "r", status: "FAILED" }, id],
  ["recordDispatchAttempt", { runId: "r", idempotencyKey: "k" }, id],
  ["recordExternalObservation", { runId: "r", idempotencyKey: "k", resolution: "DUPLICATE" }, id],
  ["recordObligationAttempt", { runId: "r", obligationSeq: 1 }, id],
  ["writeValue", { namespace: "n", key: "k", valueJson: "1", ifVersion: 3 }, id],
  ["deleteValue", { namespace: "n", key: "k" }, id],
  ["createSession", { appName: "a", sessionId: "s", stateJson: "{}" }, id],
  ["deleteSession", { appName: "a", sessionId: "s" }, id],
  ["setTimer", { runId: "r", fireAtMs: 1, kind: "k" }, id],
  ["setTimer", { runId: "r", fireAtMs: 1, kind: "k", timerId: "t" }, undefined],
  ["appendEvent", { appName: "a", sessionId: "s", event: {} }, id],
  ["appendEvent", { appName: "a", sessionId: "s", event: { id: "e" } }, undefined],
  ["beginEffect", { runId: "r", toolName: "t" }, undefined],
  ["getRun", { runId: "r" }, undefined],
])("%s with %j is named where nothing else names it", (name, request, expected) => {
  expect(callMetadata(name, request, {})["tape-request-id"]).toEqual(expected);
  expect(callMetadata(name, request, { requestId: "mine" })["tape-request-id"]).toBe("mine");
});

test("every call gets an id of its own", () => {
  const first = callMetadata("chargeBudget", { runId: "r" }, {});
  expect(callMetadata("chargeBudget", { runId: "r" }, {})).not.toEqual(first);
});

test("says the epoch of a caller without a lease, who must not write as one that is not fenced", () => {
  expect(callMetadata("endRun", { runId: "r" }, { leaseEpoch: 0, requestId: "q" })).toMatchObject({
    "tape-lease-epoch": "0",
  });
});

test("says nothing that nobody said", () => {
  expect(callMetadata("getRun", { runId: "r" }, { strict: false })).toEqual({});
});

test("leaves a trace behind that cannot travel", () => {
  expect(callMetadata("getRun", { runId: "r" }, { traceparent: "00-\n" })).toEqual({});
});
