import { join } from "node:path";
import { ServerFolder } from "../../../test/postgres/server-folder.ts";
import { openHost } from "../../postgres-place.ts";
import { worldKinds } from "../assignment.ts";
import { peerAgent, peerEnvironment, type Peers } from "./install-peers.ts";
import { onePlace, type System } from "./system.ts";

/** DBOS Transact, whose system database is PostgreSQL. */
export function dbosSystem(peers: Peers): System {
  return {
    name: "DBOS, PostgreSQL",
    version: peers.version("@dbos-inc/dbos-sdk"),
    worlds: worldKinds,
    open: async () => {
      const server = await openHost(undefined);
      const program = { file: peerAgent("dbos-agent"), args: [server.url], env: peerEnvironment };
      return onePlace(program, () => server.close());
    },
  };
}

/** Where LangGraph keeps its checkpoints. */
export type CheckpointStore = "sqlite" | "postgres";

/**
 * LangGraph with one of its durable checkpointers. A program that resumes a thread can see which node comes next, and
 * leave those alone to a human that were at the tool: `careful` does.
 */
export function langgraphSystem(peers: Peers, store: CheckpointStore, how: "resumes" | "careful"): System {
  const file = peerAgent("langgraph-agent");
  const env = peerEnvironment;
  return {
    name: `LangGraph, ${storeNames[store]}${how === "careful" ? ", stops at the tool" : ""}`,
    version: peers.version("@langchain/langgraph"),
    worlds: how === "careful" ? ["blind"] : worldKinds,
    open: async () => {
      if (store === "postgres") {
        const server = await openHost(undefined);
        return onePlace({ file, args: [how, store, server.url], env }, () => server.close());
      }
      const folder = new ServerFolder("tape-duplicates-", {});
      return onePlace({ file, args: [how, store, join(folder.path, "checkpoints.db")], env }, () => folder.remove());
    },
  };
}

const storeNames: Readonly<Record<CheckpointStore, string>> = { sqlite: "SQLite", postgres: "PostgreSQL" };
