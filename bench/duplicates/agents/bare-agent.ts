/**
 * An agent without a journal, of the two kinds that there are: `again` begins anew after a crash, `never-again` notes
 * that it has begun before it does, and does not touch what was begun. They show that the benchmark can see acts done
 * twice and acts lost.
 *
 * `bare-agent.js <assignment> <again or never-again> <folder for notes>`
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PlannedRun } from "../assignment.ts";
import { Outside, readAssignment } from "./outside.ts";

const {
  assignment,
  args: [kind = "", folder = ""],
} = readAssignment();
const outside = new Outside(assignment);
await Promise.all(assignment.runs.map(work));

async function work(run: PlannedRun): Promise<void> {
  const note = join(folder, run.id);
  if (kind === "never-again" && existsSync(note)) return outside.report(run, "ended");
  writeFileSync(note, "begun");
  const answer = await outside.askModel(run);
  await outside.pass(run, "decision-recorded");
  await outside.callToolCarefully(run, answer, run.id);
  await outside.pass(run, "outcome-recorded");
  outside.report(run, "ended");
}
