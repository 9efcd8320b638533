import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePlace, openHost } from "../../bench/postgres-place.ts";
import { newJournal } from "../bigtable/journals.ts";
import { Emulator } from "../emulators/emulator.ts";
import type { EmulatorKind } from "../emulators/find-emulator.ts";
import { experimental, newDatabase } from "../spanner/databases.ts";

/** A store that several servers open. */
export interface StorePlace {
  /** For people: without anything secret. */
  readonly name: string;
  /** May hold a password: never to be printed. */
  readonly url: string;
  /** What its servers need. */
  readonly environment: Readonly<Record<string, string>>;
  /** False: one server only, and what it holds dies with it. */
  readonly isDurable: boolean;
  readonly remove: () => Promise<void>;
}

/**
 * The store of a command line: a scratch SQLite file without one, a scratch database of our own for `postgres:`,
 * `bigtable:` and `spanner:` alone, else what the URL says. In PostgreSQL it gets a schema of its own.
 */
export async function openStorePlace(store: string | undefined): Promise<StorePlace> {
  const scheme = store?.replace(/:.*$/s, "");
  const isAlone = store === undefined || /^\w+:?$/.test(store);
  const place = { environment: {}, isDurable: true, name: scheme ?? "sqlite", remove: async () => undefined };
  switch (scheme) {
    case undefined:
    case "sqlite":
      return isAlone ? scratchFile() : { ...place, url: store, isDurable: !store.includes(":memory:") };
    case "memory":
      return { ...place, url: "memory:", isDurable: false };
    case "postgres":
    case "postgresql":
      return schema(isAlone ? undefined : store);
    case "bigtable":
      return isAlone ? onEmulator("bigtable", newJournal) : { ...place, url: store };
    case "spanner":
      return isAlone ? onEmulator("spanner", newDatabase) : { ...place, url: store, environment: experimental };
    default:
      return { ...place, url: store ?? "" };
  }
}

async function scratchFile(): Promise<StorePlace> {
  const folder = await mkdtemp(join(tmpdir(), "tape-lin-"));
  return {
    name: "sqlite",
    url: `sqlite:${join(folder, "tape.db")}`,
    environment: {},
    isDurable: true,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function schema(url: string | undefined): Promise<StorePlace> {
  const host = await openHost(url);
  const made = await makePlace(host.url, `lin_${process.pid}`);
  return {
    name: "postgres",
    url: made.storeUrl,
    environment: {},
    isDurable: true,
    remove: async () => {
      await made.drop();
      await host.close();
    },
  };
}

/** The emulator that its usual variable names, else one of our own. */
async function onEmulator(kind: EmulatorKind, newUrl: (host: string) => string): Promise<StorePlace> {
  const named = process.env[`${kind.toUpperCase()}_EMULATOR_HOST`];
  const emulator = named === undefined || named === "" ? await Emulator.open(kind) : undefined;
  return {
    name: `${kind} emulator`,
    url: newUrl(emulator?.host ?? named ?? ""),
    environment: kind === "spanner" ? experimental : {},
    isDurable: true,
    remove: async () => emulator?.stop(),
  };
}
