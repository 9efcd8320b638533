// A server to be killed: Tape's own, over a store whose appends can be held at a step. Run with the port to listen on, a
// store URL, and perhaps a file for marks and a bug to plant.
import { openSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { Engine } from "../../../src/engine/engine.ts";
import type { Access } from "../../../src/model/access.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { reactor } from "../../../src/reactor/reactor.ts";
import { loadConfig } from "../../../src/server/config.ts";
import { startServer } from "../../../src/server/start-server.ts";
import { createStore } from "../../../src/store/open-store.ts";
import { openSqlite } from "../../../src/store/sqlite/open-sqlite.ts";
import type { Store } from "../../../src/store/store.ts";
import { GatedStore } from "./gated-store.ts";
import { HastyStore, UntidyStore } from "./planted-stores.ts";
import type { FromServer, ToServer } from "./protocol.ts";
import { watchedTape } from "./watched-tape.ts";
import { Watches } from "./watches.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    store: { type: "string", default: "memory:" },
    marks: { type: "string" },
    plant: { type: "string" },
  },
});

const tell = (message: FromServer): void => {
  process.send?.(message);
};

const watches = new Watches(tell);
const store = storeOf(await createStore(values.store));
await store.migrate({ dryRun: false });
const engine = new Engine({ store, reactor: reactor() });
engine.start();

// In the same log as what the store writes: whoever reads it knows what was acknowledged when.
const marks = values.marks === undefined ? undefined : openSync(values.marks, "a");
const tapes = new WeakMap<Access, Tape>();
const tape = (access: Access): Tape => {
  const known = tapes.get(access);
  if (known !== undefined) return known;
  const watched = watchedTape(engine.tape(access), {
    watches,
    onAnswer: (requestId) => {
      if (marks !== undefined) writeSync(marks, `${requestId}\n`);
    },
    planted: values.plant,
  });
  tapes.set(access, watched);
  return watched;
};

const server = await startServer({
  engine: { tape, ping: (signal) => engine.ping(signal), stats: () => engine.stats() },
  config: loadConfig({ store: values.store, listen: `127.0.0.1:${values.port}` }),
  logger: pino({ level: "silent" }),
});

process.on("message", (message) => {
  const asked = message as ToServer;
  if (asked.kind === "checkpoint") void checkpoint().then(() => tell({ kind: "checkpointed" }));
  else watches.take(asked);
});
process.on("SIGTERM", () => void stop());
// Whoever started it has gone.
process.on("disconnect", () => process.exit(0));
tell({ kind: "listening", port: server.port });

async function stop(): Promise<void> {
  await server.close();
  await engine.close();
  await store.close();
  process.exit(0);
}

async function checkpoint(): Promise<void> {
  const database = await openSqlite(values.store.slice("sqlite:".length), { readOnly: false });
  database.exec("pragma synchronous = full; pragma wal_checkpoint(passive)");
  database.close();
}

function storeOf(real: Store): Store {
  // The gate is before what the bug changes, or behind it, so that a call can be held in the middle.
  if (values.plant === "reply-before-commit") return new GatedStore(new HastyStore(real), watches);
  if (values.plant === "index-removed-first") return new UntidyStore(new GatedStore(real, watches));
  return new GatedStore(real, watches);
}
