import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { indexName, partitionOf, sessionRow, taskRow } from "../codec/row-id.ts";
import { newestFirstKey, timeKey } from "../codec/time-key.ts";
import { listIndexPath, listPrefix } from "../journal/task/task.ts";
import type { RowId } from "../model/row.ts";
import { reactor } from "../reactor/reactor.ts";
import { engineScene, type EngineScene } from "../../test/engine/engine-scene.ts";
import { settle } from "../../test/engine/scripted-store.ts";

/* What a server adds to an index before a commit that it does not live to make is found beside what its successor adds. */

const partition = partitionOf("");
const apart = { atomicIndex: false, exclusive: false };

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

/** Adds a key beside those that the row wants. */
async function leave(row: RowId, index: string, key: string): Promise<void> {
  const slice = await scene.memory.read(row);
  const { head = new Uint8Array(), version: expected = 0 } = slice ?? {};
  const change = { row, expect: expected, commitId: "foreign", head, entries: [] };
  await scene.memory.append([{ ...change, index: { add: [{ index, key }], remove: [] } }]);
}

describe("a key that was left over by a first attempt", () => {
  it("does not list a session twice, and is removed", async () => {
    const { tape } = scene.open({}, apart);
    await tape.createSession({ appName: "app", userId: "user", sessionId: "one" });
    const index = indexName(partition, "sessions", "app", "user");
    await leave(sessionRow(partition, "app", "user", "one"), index, newestFirstKey(scene.clock.now() - 1000));
    const { tape: other } = scene.open({}, apart);
    const { sessions } = await other.listSessions({ appName: "app", userId: "user" });
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["one"]);
    expect((await scene.memory.scan(index, { limit: 9 })).items).toHaveLength(1);
  });

  it("does not list a task twice, and is removed", async () => {
    const { tape } = scene.open({ reactors: true, reactor: reactor() }, apart);
    await tape.registerReaction({ reactionId: "r", subjectPattern: "", handlerKind: "TASK" });
    await tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
    await scene.clock.advance(1000);
    await settle();
    const [task] = (await tape.listTasks({ reactionId: "r" })).tasks;
    const { taskId = "", createdAtMs = 0, sourceGlobalSeq = 0 } = task ?? {};
    const index = `${partition}/${listIndexPath("PENDING")}`;
    const key = `${listPrefix("r")}${timeKey(createdAtMs - 1000)}/${timeKey(sourceGlobalSeq)}`;
    await leave(taskRow(partition, taskId), index, key);
    const { tape: other } = scene.open({}, apart);
    expect((await other.listTasks({ reactionId: "r" })).tasks).toEqual([task]);
    expect((await scene.memory.scan(index, { limit: 9 })).items).toHaveLength(1);
  });
});
