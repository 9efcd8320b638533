import { onTestFinished } from "vitest";
import { spannerStore, type SpannerOptions } from "../../src/store/spanner/spanner-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { ProxiedStore } from "../emulators/fault-load.ts";
import type { GrpcProxy } from "../emulators/grpc-proxy.ts";
import { newDatabase } from "./databases.ts";
import { spannerProxy } from "./proxied.ts";

type Options = Omit<SpannerOptions, "experimental">;

/** The database of one test, which several stores may open; everything ends with the test. */
export class Scene {
  readonly host: string;
  readonly #database = newDatabase("HOST");

  constructor(host: string) {
    this.host = host;
  }

  /** The database's URL by way of this host. */
  url(host: string = this.host): string {
    return this.#database.replace("HOST", host);
  }

  /** A store that has not been opened. */
  store(options: Options = {}, url: string = this.url()): Store {
    const store = spannerStore(url, { experimental: true, ...options });
    onTestFinished(() => store.close());
    return store;
  }

  /** A store on the database, which is made if there is none. */
  async open(options: Options = {}, url: string = this.url()): Promise<Store> {
    const store = this.store(options, url);
    await store.migrate({ dryRun: false });
    return store;
  }

  async openProxied(options: Options = {}): Promise<ProxiedStore> {
    const proxy = await this.proxy();
    return { proxy, store: await this.open(options, this.url(proxy.host)) };
  }

  async proxy(): Promise<GrpcProxy> {
    const proxy = await spannerProxy(this.host);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    return proxy;
  }
}
