import { bearer, callerOf, mebibyte, type Attack } from "../attack.ts";
import type { GrpcCaller } from "../../server/grpc-caller.ts";

const watchersAConnection = 250;
const writes = 20;

/** No attack: many who want the same. Each must get everything, once. */
const manyWatchers: Attack["run"] = async (scene) => {
  const headers = bearer(scene);
  const writer = callerOf(scene);
  const begun = await writer.unary(
    "beginRun",
    { appName: "watched", invocationId: `${performance.now()}`, leaseOwner: "w" },
    headers,
  );
  const { runId, nextSeq } = begun.response;
  const callers: GrpcCaller[] = [];
  const seen: number[][] = [];
  const ended: Promise<void>[] = [];
  for (let index = 0; index < scene.size.watchers; index += 1) {
    if (index % watchersAConnection === 0) callers.push(callerOf(scene));
    const items = callers.at(-1)?.stream("subscribeRun", { runId, fromSeq: nextSeq }, headers);
    const mine: number[] = [];
    seen.push(mine);
    const end = (async () => {
      for await (const { seq } of items ?? []) mine.push(seq);
    })();
    // Counted below, when all others have had their turn.
    end.catch(() => undefined);
    ended.push(end);
  }
  await scene.comesTrue(
    async () => ((await scene.target.metrics()).get("tape_rpc_streams") ?? 0) >= scene.size.watchers,
  );
  for (let index = 0; index < writes; index += 1) {
    await writer.unary("recordDecision", { runId, decisionIndex: index, model: "m" }, headers);
  }
  await writer.unary("endRun", { runId, status: "TERMINAL" }, headers);
  // The end of a run ends its streams by itself (R14).
  const results = await Promise.allSettled(ended);
  const expected = Array.from({ length: writes + 1 }, (_, index) => nextSeq + index).join();
  const wrong = seen.filter((seqs) => seqs.join() !== expected).length;
  const broken = results.filter(({ status }) => status === "rejected").length;
  for (const caller of [...callers, writer]) caller.close();
  return {
    connections: callers.length,
    fates: { "watchers with every write, once": seen.length - wrong },
    violations: wrong + broken === 0 ? [] : [`${wrong} watchers missed something or got it twice, ${broken} broke`],
  };
};

/** Many readers of one thing. */
export const watcherAttacks: readonly Attack[] = [
  {
    name: "many-watchers",
    what: "so many subscribers of one run, while it is written",
    defence: "served: each gets every entry once, in order, and the end",
    mayGrowBy: 512 * mebibyte,
    run: manyWatchers,
  },
];
