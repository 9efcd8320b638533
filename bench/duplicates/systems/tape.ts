import { join } from "node:path";
import { Emulator } from "../../../test/emulators/emulator.ts";
import { emulatorMissing, findEmulator, type EmulatorKind } from "../../../test/emulators/find-emulator.ts";
import { findPostgres, postgresMissing } from "../../../test/postgres/find-postgres.ts";
import { ServerFolder } from "../../../test/postgres/server-folder.ts";
import { makePlace, openHost } from "../../postgres-place.ts";
import { startServer } from "../../server-process.ts";
import type { AgentProgram } from "../agent-process.ts";
import { worldKinds } from "../assignment.ts";
import { compiled, projectFolder, tapeVersion } from "./project.ts";
import type { Host, Place, System } from "./system.ts";

/** Where Tape can keep the journal here; `memory` is that of a server, which outlives the agents. */
export type TapeStore = "sqlite" | "postgres" | "bigtable" | "spanner" | "memory";

/** All of them. */
export const tapeStores: readonly TapeStore[] = ["sqlite", "postgres", "bigtable", "spanner", "memory"];

/** Tape on one of its stores. */
export function tapeSystem(store: TapeStore): System {
  const name = store === "memory" ? "Tape server, in memory" : `Tape, ${storeNames[store]}`;
  return { name, version: tapeVersion, worlds: worldKinds, open: opens[store] };
}

/** What is missing on this machine for that store; `undefined`: nothing. */
export function tapeStoreMissing(store: TapeStore): string | undefined {
  if (store === "postgres") return findPostgres().length === 0 ? postgresMissing : undefined;
  if (store === "bigtable" || store === "spanner") {
    return findEmulator(store) === undefined ? emulatorMissing(store) : undefined;
  }
  return undefined;
}

const storeNames = { sqlite: "SQLite", postgres: "PostgreSQL", bigtable: "Bigtable", spanner: "Spanner" } as const;

const opens: Readonly<Record<TapeStore, () => Promise<Host>>> = {
  sqlite: async () => {
    const folder = new ServerFolder("tape-duplicates-", {});
    return hostOf(
      async (n) => ({ url: `sqlite:${join(folder.path, `${n}.db`)}`, drop: async () => undefined }),
      () => folder.remove(),
    );
  },
  postgres: async () => {
    const server = await openHost(undefined);
    return hostOf(
      async (n) => {
        const place = await makePlace(server.url, `batch_${n}`);
        return { url: place.storeUrl, drop: () => place.drop() };
      },
      () => server.close(),
    );
  },
  bigtable: () =>
    onEmulator("bigtable", (host, n) => `bigtable://project/instance/duplicates?emulator=${host}&prefix=${n}`),
  spanner: () => onEmulator("spanner", (host, n) => `spanner://project/batch-${n}/tape?emulator=${host}`),
  memory: async () =>
    hostOf(
      async () => {
        const server = await startServer(join(projectFolder, "dist/cli/main.js"), "memory:");
        return { url: `tape://127.0.0.1:${server.port}`, drop: () => server.stop("SIGTERM") };
      },
      async () => undefined,
    ),
};

/** A journal for each batch, so that what one leaves UNKNOWN is not in the way of the next. */
interface Journal {
  readonly url: string;
  drop(): Promise<void>;
}

function hostOf(newJournal: (n: number) => Promise<Journal>, close: () => Promise<void>): Host {
  let journals = 0;
  return {
    newPlace: async (): Promise<Place> => {
      journals += 1;
      const journal = await newJournal(journals);
      return { program: tapeAgent(journal.url), [Symbol.asyncDispose]: () => journal.drop() };
    },
    [Symbol.asyncDispose]: close,
  };
}

async function onEmulator(kind: EmulatorKind, urlOf: (host: string, n: number) => string): Promise<Host> {
  const emulator = await Emulator.open(kind);
  return hostOf(
    async (n) => ({ url: urlOf(emulator.host, n), drop: async () => undefined }),
    () => emulator.stop(),
  );
}

const tapeAgent = (url: string): AgentProgram => ({
  file: compiled("agents/tape-agent.js"),
  args: [url],
  // On a machine without Google's metadata server its libraries would wait for one.
  env: { TAPE_SPANNER_EXPERIMENTAL: "1", METADATA_SERVER_DETECTION: "none" },
});
