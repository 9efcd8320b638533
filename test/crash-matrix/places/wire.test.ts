import { expect, it } from "vitest";
import type { CallAct, ProxiedCall } from "../../emulators/grpc-proxy.ts";
import type { RequestFate } from "./place.ts";
import { wireOf } from "./wire.ts";

const lost: RequestFate = { lost: "request", cut: true };
const commitOf = (...rows: readonly string[]): ProxiedCall => ({
  method: "Commit",
  count: 0,
  request: Buffer.from(rows.join(" ")),
});

function watched() {
  const proxy = { act: (): CallAct => ({ kind: "pass" }), cut: () => undefined };
  const wire = wireOf(proxy, new Set(["Commit"]));
  const met: string[] = [];
  const watch = async (row: string, nth: number): Promise<void> => {
    await wire.catch({ rows: [row], nth, fate: lost }).struck;
    met.push(row);
  };
  const act: (call: ProxiedCall) => CallAct = (call) => (proxy.act as (call: ProxiedCall) => CallAct)(call);
  return { act, watch, met };
}

it("a request for rows of several calls meets all that wait for it, and none that waits for a later one", async () => {
  const { act, watch, met } = watched();
  const both = [watch("first-row", 1), watch("second-row", 1)];
  const third = watch("third-row", 2);
  expect(act(commitOf("first-row", "second-row", "third-row"))).toEqual({ kind: "cut" });
  await Promise.all(both);
  expect(met).toEqual(["first-row", "second-row"]);
  expect(act(commitOf("third-row"))).toEqual({ kind: "cut" });
  await third;
});

it("a request for other rows, or one that does not write, passes", () => {
  const { act, watch } = watched();
  void watch("first-row", 1);
  expect(act(commitOf("other-row"))).toEqual({ kind: "pass" });
  expect(act({ ...commitOf("first-row"), method: "StreamingRead" })).toEqual({ kind: "pass" });
});
