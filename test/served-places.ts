import { afterAll, beforeAll, describe, it } from "vitest";
import type { Store } from "../src/store/store.ts";
import { testTape, type TapeCase, type TapeHarness } from "../src/testing/index.ts";
import type { TapePlaces } from "./tape-places.ts";
import { TapeServers } from "./tape-servers.ts";

/** Runs {@link testTape} through servers whose stores are in places that the cases share. */
export function testServedTape(name: string, places: TapePlaces, includes?: (tapeCase: TapeCase) => boolean): void {
  const servers = new TapeServers();

  /** A store that is opened again is a new one, which the case leaves open. */
  async function harness(tapeCase: TapeCase): Promise<TapeHarness> {
    const { partition, openStore } = await places.stores(tapeCase);
    const opened: Store[] = [];
    return servers.harness({
      partition,
      openStore: async (connection) => {
        const store = await openStore(connection);
        opened.push(store);
        return store;
      },
      close: async () => {
        for (const store of opened) await store.close();
      },
    });
  }

  beforeAll(() => servers.start());
  afterAll(async () => {
    await servers.close();
    await places.discard();
  });

  testTape({ name, open: harness, runner: { describe, it }, ...(includes !== undefined && { includes }) });
}
