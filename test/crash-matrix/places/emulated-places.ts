import { bigtableProxy } from "../../bigtable/proxied.ts";
import { newJournal } from "../../bigtable/journals.ts";
import { Emulator } from "../../emulators/emulator.ts";
import { experimental, newDatabase } from "../../spanner/databases.ts";
import { spannerProxy } from "../../spanner/proxied.ts";
import type { GrpcProxy } from "../../emulators/grpc-proxy.ts";
import type { Place } from "./place.ts";
import { wireOf } from "./wire.ts";

/** An emulator holds its data in memory: killing it loses everything by design, so its connections are killed instead. */
const note = "the emulator keeps its data in memory and cannot be killed: its connections were cut instead";

/** Bigtable's emulator behind a proxy. */
export async function bigtablePlace(): Promise<Place> {
  const emulator = await Emulator.open("bigtable");
  const proxy = await bigtableProxy(emulator.host);
  const storeUrl = newJournal(proxy.host);
  const writes = new Set(["MutateRows", "CheckAndMutateRow", "ReadModifyWriteRow"]);
  return emulated("Bigtable (emulator)", storeUrl, {}, emulator, proxy, writes);
}

/** Spanner's emulator behind a proxy. */
export async function spannerPlace(): Promise<Place> {
  const emulator = await Emulator.open("spanner");
  const proxy = await spannerProxy(emulator.host);
  return emulated("Spanner (emulator)", newDatabase(proxy.host), experimental, emulator, proxy, new Set(["Commit"]));
}

function emulated(
  title: string,
  storeUrl: string,
  env: Readonly<Record<string, string>>,
  emulator: Emulator,
  proxy: GrpcProxy,
  writes: ReadonlySet<string>,
): Place {
  const wire = wireOf(proxy, writes);
  return {
    title,
    storeUrl,
    env: { ...env, METADATA_SERVER_DETECTION: "none" },
    commitUs: 8000,
    together: 50,
    outages: [{ name: "the connections to the database", strike: async () => wire.cut() }],
    wire,
    note,
    remove: async () => {
      await proxy[Symbol.asyncDispose]();
      await emulator.stop();
    },
  };
}
