import type { Options, SystemKind } from "../options.ts";
import { bareSystem } from "./bare.ts";
import { dbosSystem, langgraphSystem } from "./dbos-and-langgraph.ts";
import { installPeers } from "./install-peers.ts";
import { restateSystem } from "./restate.ts";
import type { System } from "./system.ts";
import { tapeStoreMissing, tapeSystem } from "./tape.ts";

/** A system, and what it is one of. */
export interface Chosen {
  readonly kind: SystemKind;
  readonly system: System;
}

/** The systems that were asked for and can run here; of the others it is said why not. */
export async function chosenSystems(
  { systems, stores }: Options,
  say: (line: string) => void,
): Promise<readonly Chosen[]> {
  const chosen: Chosen[] = [];
  if (systems.includes("bare")) {
    chosen.push({ kind: "bare", system: bareSystem("again") }, { kind: "bare", system: bareSystem("never-again") });
  }
  for (const store of systems.includes("tape") ? stores : []) {
    const missing = tapeStoreMissing(store);
    if (missing === undefined) chosen.push({ kind: "tape", system: tapeSystem(store) });
    else say(`skipped: Tape on ${store}: ${missing}`);
  }
  return [...chosen, ...(await chosenPeers(systems, say))];
}

async function chosenPeers(systems: readonly SystemKind[], say: (line: string) => void): Promise<readonly Chosen[]> {
  const wanted: readonly SystemKind[] = systems.filter((kind) => kind !== "bare" && kind !== "tape");
  if (wanted.length === 0) return [];
  const peers = await installPeers(say).catch((error: unknown) => {
    say(`skipped: ${wanted.join(", ")}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (peers === undefined) return [];
  const hasPostgres = tapeStoreMissing("postgres") === undefined;
  if (!hasPostgres) say(`skipped: DBOS, and LangGraph on PostgreSQL: ${tapeStoreMissing("postgres")}`);
  if (!peers.hasSqlite) say("skipped: LangGraph on SQLite: the native part of better-sqlite3 could not be made");
  const candidates: readonly (Chosen & { readonly possible: boolean })[] = [
    { kind: "restate", possible: true, system: restateSystem(peers, "retry") },
    { kind: "restate", possible: true, system: restateSystem(peers, "pause") },
    { kind: "dbos", possible: hasPostgres, system: dbosSystem(peers) },
    { kind: "langgraph", possible: peers.hasSqlite, system: langgraphSystem(peers, "sqlite", "resumes") },
    { kind: "langgraph", possible: hasPostgres, system: langgraphSystem(peers, "postgres", "resumes") },
    { kind: "langgraph", possible: peers.hasSqlite, system: langgraphSystem(peers, "sqlite", "careful") },
  ];
  return candidates.filter(({ kind, possible }) => possible && wanted.includes(kind));
}
