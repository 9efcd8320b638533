import { ServerFolder } from "../../../test/postgres/server-folder.ts";
import { worldKinds } from "../assignment.ts";
import { compiled } from "./project.ts";
import { onePlace, type System } from "./system.ts";

/** What an agent without a journal does after a crash: it begins again, or it does not touch what it had begun. */
export type BareKind = "again" | "never-again";

/** An agent without a journal. */
export function bareSystem(kind: BareKind): System {
  return {
    name: kind === "again" ? "no journal, begins again" : "no journal, never again",
    version: "",
    worlds: worldKinds,
    open: async () => {
      const notes = new ServerFolder("tape-duplicates-", {});
      const program = { file: compiled("agents/bare-agent.js"), args: [kind, notes.path], env: {} };
      return onePlace(program, () => notes.remove());
    },
  };
}
