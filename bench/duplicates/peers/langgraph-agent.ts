/**
 * An agent on LangGraph: a graph with a node for the model call and one for the tool call, a durable checkpointer, and
 * `durability: "sync"`, which writes each step before the next one begins. After a crash the thread is invoked again
 * with no input. Nodes may be executed again, so the tool gets a key made of thread and node.
 *
 * https://docs.langchain.com/oss/javascript/langgraph/durable-execution
 * https://docs.langchain.com/oss/javascript/langgraph/persistence
 *
 * `langgraph-agent.js <assignment> <resumes or careful> sqlite <file>`, or `... postgres <URL>`. The careful one leaves a
 * thread whose next node is the tool to a human, since nobody can know whether the tool has acted.
 */
import { exit } from "node:process";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import type { BaseCheckpointSaver } from "@langchain/langgraph";
import type { PlannedRun } from "../assignment.ts";
import { Outside, readAssignment } from "../agents/outside.ts";

const {
  assignment,
  args: [how = "", kind = "", place = ""],
} = readAssignment();
const outside = new Outside(assignment);

const State = Annotation.Root({ run: Annotation<PlannedRun>, answer: Annotation<string>, receipt: Annotation<string> });

const graph = new StateGraph(State)
  .addNode("model", async ({ run }) => ({ answer: await outside.askModel(run) }))
  .addNode("tool", async ({ run, answer }) => {
    await outside.pass(run, "decision-recorded");
    return { receipt: await outside.callToolCarefully(run, answer, `${run.id}/tool`) };
  })
  .addNode("finish", async ({ run }) => {
    await outside.pass(run, "outcome-recorded");
    return {};
  })
  .addEdge(START, "model")
  .addEdge("model", "tool")
  .addEdge("tool", "finish")
  .addEdge("finish", END)
  .compile({ checkpointer: await openCheckpointer() });

await Promise.all(
  assignment.runs.map(async (run) => {
    const config = { configurable: { thread_id: run.id }, durability: "sync" as const };
    if (assignment.phase === "recover" && how === "careful") {
      const { next } = await graph.getState(config);
      if (next.includes("tool")) return outside.report(run, "unknown");
    }
    await graph.invoke(assignment.phase === "begin" ? { run } : null, config);
    outside.report(run, "ended");
  }),
);
exit(0);

async function openCheckpointer(): Promise<BaseCheckpointSaver> {
  // Only one of them: that of SQLite has a native part, which may be missing.
  if (kind === "sqlite") {
    const { SqliteSaver } = await import("@langchain/langgraph-checkpoint-sqlite");
    return SqliteSaver.fromConnString(place);
  }
  const { PostgresSaver } = await import("@langchain/langgraph-checkpoint-postgres");
  const saver = PostgresSaver.fromConnString(place);
  await saver.setup();
  return saver;
}
