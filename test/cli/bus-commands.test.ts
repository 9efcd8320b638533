import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ListTasksRequest, Reaction, Task } from "../../src/model/reaction.ts";
import type { Tape } from "../../src/model/tape.ts";
import { serveDouble } from "../server/server-fixture.ts";
import { tape, type CliResult } from "./run-in-process.ts";

/** Runs a command against a server of which only these calls exist. */
async function against(calls: Partial<Tape>, ...words: string[]): Promise<CliResult> {
  const { server } = await serveDouble(calls);
  onTestFinished(() => server.close(0));
  return tape(words, { env: { TAPE_SERVER: `tape://${server.address}` }, now: () => 100_000 });
}

async function file(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tape-reaction-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "reaction.json");
  await writeFile(path, content);
  return path;
}

const reaction: Reaction = {
  reactionId: "page",
  subjectPattern: "/tape/effect/unknown/**",
  predicateCel: "payload.connector == 'bank'",
  handlerKind: "TASK",
};

const task: Task = {
  taskId: "t-1",
  reactionId: "page",
  shard: 0,
  sourceRunId: "run-1",
  sourceGlobalSeq: 7,
  subject: "/tape/effect/unknown/wire/run-1",
  payloadJson: '{"a":1}',
  status: "DLQ",
  attempts: 3,
  nextAttemptAtMs: 0,
  leaseOwner: "",
  leaseExpiresAtMs: 0,
  lastError: "no\nanswer",
  createdAtMs: 39_000,
  traceId: "",
  parentSpanId: "",
};

test("reactions are listed", async () => {
  const listReactions: Tape["listReactions"] = async () => ({ reactions: [reaction] });
  const { out } = await against({ listReactions }, "reactions", "list");
  expect(out.split("\n")[1]).toBe("page      task   /tape/effect/unknown/**  payload.connector == 'bank'");
  const json = await against({ listReactions }, "reactions", "list", "--json");
  expect(JSON.parse(json.out)).toMatchObject(reaction);
});

test("a reaction is registered as a file describes it, in snake_case or camelCase", async () => {
  const registered: Reaction[] = [];
  const registerReaction: Tape["registerReaction"] = async (request) => {
    registered.push(request);
    return request;
  };
  const snake = await file(
    JSON.stringify({
      reaction_id: "page",
      subject_pattern: "/tape/effect/unknown/**",
      predicate_cel: "payload.connector == 'bank'",
      handler_kind: "HANDLER_KIND_TASK",
      retry_max: 3,
    }),
  );
  const camel = await file(JSON.stringify(reaction));
  expect(await against({ registerReaction }, "reactions", "register", snake)).toMatchObject({
    code: 0,
    out: "reaction page is registered",
  });
  await against({ registerReaction }, "reactions", "register", camel);
  expect(registered).toMatchObject([{ ...reaction, retryMax: 3 }, reaction]);
});

test.each([
  ["{", "the file is no JSON"],
  ["[]", "the file holds no JSON object"],
  ['{"reaction_id": "a"}', "a reaction needs the field handlerKind"],
  ['{"reaction_id": 7}', "reaction_id must be a string"],
  ['{"subject": "x"}', "a reaction has no field subject; it has reactionId, name, subjectPattern"],
])("a file that holds %s is refused", async (content, message) => {
  const result = await tape(["reactions", "register", await file(content)]);
  expect(result).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
});

test("a file that is not there is refused by its name", async () => {
  expect(await tape(["reactions", "register", "./none.json"])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^tape: \.\/none\.json cannot be read: ENOENT/),
  });
});

test("a reaction is removed, once", async () => {
  const deregisterReaction: Tape["deregisterReaction"] = async ({ reactionId }) => ({
    deregistered: reactionId === "page",
  });
  expect(await against({ deregisterReaction }, "reactions", "remove", "page")).toMatchObject({
    code: 0,
    out: "reaction page is removed",
  });
  expect(await against({ deregisterReaction }, "reactions", "remove", "none")).toEqual({
    code: 1,
    out: "",
    err: "tape: there is no reaction none.",
  });
});

test("tasks are listed by reaction and status", async () => {
  const asked: (ListTasksRequest | undefined)[] = [];
  const listTasks: Tape["listTasks"] = async (request) => {
    asked.push(request);
    return { tasks: [task] };
  };
  const words = ["tasks", "list", "--reaction", "page", "--status", "dlq", "--limit", "5"];
  const { out } = await against({ listTasks }, ...words);
  expect(out.split("\n")[1]).toBe(
    "DLQ     t-1   page      1m 01s ago  /tape/effect/unknown/wire/run-1  3 attempts: no ⏎ answer",
  );
  expect(asked).toEqual([{ reactionId: "page", status: "DLQ", limit: 5 }]);
  const json = await against({ listTasks }, "tasks", "list", "--json");
  expect(JSON.parse(json.out)).toMatchObject({ taskId: "t-1", payload: { a: 1 } });
});

test("a server without the bus says so", async () => {
  expect(await against({}, "tasks", "list")).toMatchObject({ code: 69, out: "" });
});
