import { onTestFinished } from "vitest";
import { bigtableStore, type BigtableOptions } from "../../src/store/bigtable/bigtable-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { ProxiedStore } from "../emulators/fault-load.ts";
import type { GrpcProxy } from "../emulators/grpc-proxy.ts";
import { newJournal } from "./journals.ts";
import { bigtableProxy } from "./proxied.ts";

/** The journal of one test, which several stores may open; everything ends with the test. */
export class Scene {
  readonly host: string;
  /** Without the emulator. */
  readonly #journal: string;

  /** @param lagMs Of the feed; a test that counts calls wants one within which a busy machine is not too slow. */
  constructor(host: string, lagMs?: number) {
    this.host = host;
    this.#journal = newJournal("HOST", lagMs);
  }

  /** The journal's URL by way of this host. */
  url(host: string = this.host): string {
    return this.#journal.replace("HOST", host);
  }

  /** A store on the journal. */
  async open(options: BigtableOptions = {}, url: string = this.url()): Promise<Store> {
    const store = bigtableStore(url, options);
    onTestFinished(() => store.close());
    await store.migrate({ dryRun: false });
    return store;
  }

  async openProxied(options: BigtableOptions = {}): Promise<ProxiedStore> {
    const proxy = await this.proxy();
    return { proxy, store: await this.open(options, this.url(proxy.host)) };
  }

  async proxy(): Promise<GrpcProxy> {
    const proxy = await bigtableProxy(this.host);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    return proxy;
  }
}
