/**
 * An agent on DBOS Transact: a workflow of two steps, started under an id of its own. A process that launches recovers
 * what its predecessor left. Steps are executed at least once, so the tool gets a key made of workflow and step.
 *
 * https://docs.dbos.dev/typescript/tutorials/workflow-tutorial
 * https://docs.dbos.dev/typescript/tutorials/step-tutorial
 *
 * `dbos-agent.js <assignment> <PostgreSQL URL>`
 */
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { PlannedRun } from "../assignment.ts";
import { Outside, readAssignment } from "../agents/outside.ts";

const {
  assignment,
  args: [systemDatabaseUrl = ""],
} = readAssignment();
const outside = new Outside(assignment);

const agent = DBOS.registerWorkflow(
  async (run: PlannedRun): Promise<void> => {
    const answer = await DBOS.runStep(() => outside.askModel(run), { name: "model" });
    await outside.pass(run, "decision-recorded");
    await DBOS.runStep(
      () => outside.callToolCarefully(run, answer, `${String(DBOS.workflowID)}/${String(DBOS.stepID)}`),
      { name: "tool" },
    );
    await outside.pass(run, "outcome-recorded");
  },
  { name: "agent" },
);

DBOS.setConfig({ name: "duplicates", systemDatabaseUrl, systemDatabasePoolSize: 20, logLevel: "error" });
await DBOS.launch();

await Promise.all(
  assignment.runs.map(async (run) => {
    const handle =
      assignment.phase === "begin"
        ? await DBOS.startWorkflow(agent, { workflowID: run.id })(run)
        : DBOS.retrieveWorkflow<void>(run.id);
    await handle.getResult();
    outside.report(run, "ended");
  }),
);
await DBOS.shutdown();
