/**
 * An agent on Restate: a workflow whose model call and tool call are durable steps, `ctx.run`, and whose key for the
 * tool is `ctx.rand.uuidv4()`, the same in every attempt. The Restate server calls this process again when it is back.
 *
 * https://docs.restate.dev/develop/ts/durable-steps
 * https://docs.restate.dev/services/configuration (retries)
 *
 * `restate-agent.js <assignment> <ingress URL> <admin URL> <port of this process> <retry or pause>`. With `pause` a
 * workflow whose process has died is not called again, but waits for a human.
 */
import "./promise-with-resolvers.ts";
import { once } from "node:events";
import { createServer } from "node:http2";
import { exit } from "node:process";
import * as restate from "@restatedev/restate-sdk";
import * as clients from "@restatedev/restate-sdk-clients";
import type { PlannedRun } from "../assignment.ts";
import { Outside, readAssignment } from "../agents/outside.ts";

const {
  assignment,
  args: [ingressUrl = "", adminUrl = "", port = "", policy = ""],
} = readAssignment();
const outside = new Outside(assignment);

const agent = restate.workflow({
  name: "agent",
  handlers: {
    run: async (ctx: restate.WorkflowContext, run: PlannedRun): Promise<void> => {
      const idempotencyKey = ctx.rand.uuidv4();
      const answer = await ctx.run("model", () => outside.askModel(run));
      await outside.pass(run, "decision-recorded");
      await ctx.run("tool", () => outside.callToolCarefully(run, answer, idempotencyKey));
      await outside.pass(run, "outcome-recorded");
    },
  },
  options: policy === "pause" ? { retryPolicy: { maxAttempts: 1, onMaxAttempts: "pause" } } : {},
});

// Not `endpoint.listen`, which listens on all interfaces.
const server = createServer(
  restate
    .endpoint()
    .bind(agent)
    .setLogger(() => undefined)
    .http2Handler(),
);
server.listen(Number(port), "127.0.0.1");
await once(server, "listening");

const ingress = clients.connect({ url: ingressUrl });
if (assignment.phase === "begin") await register();
const paused = assignment.phase === "recover" && policy === "pause" ? await pausedRuns() : [];
await Promise.all(
  assignment.runs.map(async (run) => {
    if (paused.includes(run.id)) return outside.report(run, "unknown");
    const workflow = ingress.workflowClient<typeof agent>({ name: "agent" }, run.id);
    if (assignment.phase === "begin") await workflow.workflowSubmit(run);
    await workflow.workflowAttach();
    outside.report(run, "ended");
  }),
);
exit(0);

/** Tells the server where this process is; it stays there for all processes to come. */
async function register(): Promise<void> {
  const response = await fetch(new URL("/deployments", adminUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}`, force: true }),
  });
  if (!response.ok) throw new Error(`Restate does not take the deployment: ${await response.text()}`);
}

/** What the server has given up calling. */
async function pausedRuns(): Promise<readonly string[]> {
  const response = await fetch(new URL("/query", adminUrl), {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query: "select target_service_key from sys_invocation where status = 'paused'" }),
  });
  const { rows } = (await response.json()) as { rows: readonly { target_service_key: string }[] };
  return rows.map((row) => row.target_service_key);
}
