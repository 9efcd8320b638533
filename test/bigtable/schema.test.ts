import { status as codes } from "@grpc/grpc-js";
import bigtableProtos from "@google-cloud/bigtable/build/protos/protos.js";
import { randomUUID } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import { createStore } from "../../src/store/open-store.ts";
import { placeOptions } from "../../src/store/bigtable/connection.ts";
import { loadDriver } from "../../src/store/bigtable/driver.ts";
import { once } from "../../src/store/google/client-options.ts";
import type { Store } from "../../src/store/store.ts";
import { appendTo, commit, rowId, rowOf, upTo } from "../../src/testing/test-store/material.ts";
import { Emulator } from "../emulators/emulator.ts";
import type { CallAct, GrpcProxy } from "../emulators/grpc-proxy.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { Scene } from "./fixture.ts";
import { bigtableProxy } from "./proxied.ts";
import { rowsOfJournal } from "./raw-table.ts";

const { AppProfile } = bigtableProtos.google.bigtable.admin.v2;
const pass: CallAct = { kind: "pass" };

describeBigtable("Bigtable, what is there at start", (host) => {
  const tableUrl = (at = host): string => `bigtable://p/i/t-${randomUUID().slice(0, 8)}?emulator=${at}`;
  const make = async (url: string): Promise<Store> => {
    const store = await createStore(url);
    onTestFinished(() => store.close());
    return store;
  };
  const proxied = async (act: (method: string) => CallAct): Promise<GrpcProxy> => {
    const proxy = await bigtableProxy(host);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    proxy.act = ({ method }) => act(method);
    return proxy;
  };

  it("a table that is missing is never made by opening, named by a dry run, and made by migrating, once", async () => {
    const url = tableUrl();
    const names = ["create table", "begin a journal"];
    const pending = await (await make(url)).migrate({ dryRun: true });
    expect(pending.steps.map(({ name }) => names.find((one) => name.startsWith(one)))).toEqual(names);
    expect(pending.steps[0]?.statements).toMatch(
      /^cbt -project p -instance i createtable t-\S+ families=m:maxversions=1$/,
    );
    const opening = (await make(url)).open();
    await expect(opening).rejects.toMatchObject({ reason: "MIGRATION_PENDING" });
    await expect(opening).rejects.toThrow(/Terraform module makes it, or: cbt -project p -instance i createtable/);
    const store = await make(url);
    expect((await store.migrate({ dryRun: false })).steps).toHaveLength(2);
    await commit(store, appendTo("a", 0));
    expect((await (await make(url)).migrate({ dryRun: false })).steps).toEqual([]);
    const again = await make(url);
    await again.open();
    expect((await rowOf(again, "a")).version).toBe(1);
  });

  it("a table without the family gets it, one that keeps more versions is refused", async () => {
    const driver = await loadDriver();
    const client = driver.tableAdmin(await placeOptions({ project: "p", emulator: host }));
    onTestFinished(() => client.close());
    const create = (tableId: string, versions: number | undefined): Promise<unknown> =>
      client.createTable(
        {
          parent: "projects/p/instances/i",
          tableId,
          table: {
            columnFamilies: versions === undefined ? {} : { m: { gcRule: { maxNumVersions: versions } } },
          },
        },
        once(5000),
      );
    await create("bare", undefined);
    const bare = await make(`bigtable://p/i/bare?emulator=${host}`);
    await expect(bare.open()).rejects.toThrow(
      /missing is create family m.*cbt .* createfamily bare m && cbt .* setgcpolicy/,
    );
    expect((await bare.migrate({ dryRun: false })).steps.map(({ id }) => id)).toEqual([2, 3]);
    await commit(bare, appendTo("a", 0));

    await create("many", 3);
    const many = await make(`bigtable://p/i/many?emulator=${host}`);
    await expect(many.migrate({ dryRun: false })).rejects.toMatchObject({ reason: "STORE_NOT_USABLE" });
    await expect(many.open()).rejects.toThrow(/does not keep one version a cell.*setgcpolicy many m maxversions=1/);
  });

  it("servers that start together make one journal", async () => {
    const url = tableUrl();
    const stores = await Promise.all(upTo(4).map(() => make(url)));
    await Promise.all(stores.map((store) => store.migrate({ dryRun: false })));
    for (const [i, store] of stores.entries()) await commit(store, appendTo("a", i));
    expect((await rowOf(stores[0] as Store, "a")).version).toBe(4);
  });

  it("who may not create is told what to run; who may not even look goes on with a table that is there", async () => {
    const url = tableUrl();
    const refuse = { kind: "refuse", code: codes.PERMISSION_DENIED } as const;
    const noCreation = await proxied((method) => (method === "CreateTable" ? refuse : pass));
    const store = await make(url.replace(host, noCreation.host));
    const migrating = store.migrate({ dryRun: false });
    await expect(migrating).rejects.toMatchObject({ reason: "MIGRATION_PENDING" });
    await expect(migrating).rejects.toThrow(/may not create it.*Terraform module.*cbt .* createtable/);

    await (await make(url)).migrate({ dryRun: false });
    const blind = await proxied((method) => (method.startsWith("Get") ? refuse : pass));
    const warned: string[] = [];
    const other = await createStore(url.replace(host, blind.host), {
      observer: { warn: (message) => void warned.push(message), gauge: () => undefined },
    });
    onTestFinished(() => other.close());
    await other.migrate({ dryRun: false });
    await commit(other, appendTo("a", 0));
    expect(warned).toEqual([expect.stringMatching(/may not look at table/)]);
  });

  const profiles = [
    [{ multiClusterRoutingUseAny: {} }, /routes to several clusters/],
    [{ singleClusterRouting: { clusterId: "c" } }, /does not allow single-row transactions/],
  ] as const;
  it.each(profiles)("an app profile like %j is refused, and says how to make a right one", async (profile, why) => {
    const message = Buffer.from(AppProfile.encode(profile).finish());
    const proxy = await proxied((method) => (method === "GetAppProfile" ? { kind: "answer", message } : pass));
    const store = await make(`${tableUrl(proxy.host)}&appProfile=mine`);
    for (const begin of [() => store.migrate({ dryRun: false }), () => store.open()]) {
      const start = begin();
      await expect(start).rejects.toMatchObject({ reason: "STORE_NOT_USABLE" });
      await expect(start).rejects.toThrow(why);
      await expect(start).rejects.toThrow(
        /app profile mine .* gcloud bigtable app-profiles create .* --transactional-writes/,
      );
    }
  });

  it("an app profile that is as it must be is taken, one that is missing is named", async () => {
    const right = { singleClusterRouting: { clusterId: "c", allowTransactionalWrites: true } };
    const message = Buffer.from(AppProfile.encode(right).finish());
    const proxy = await proxied((method) => (method === "GetAppProfile" ? { kind: "answer", message } : pass));
    const store = await make(tableUrl(proxy.host));
    await store.migrate({ dryRun: false });
    await commit(store, appendTo("a", 0));
    proxy.act = ({ method }) => (method === "GetAppProfile" ? { kind: "refuse", code: codes.NOT_FOUND } : pass);
    await expect((await make(`${tableUrl(proxy.host)}&appProfile=mine`)).open()).rejects.toThrow(/no app profile mine/);
  });

  it("a service that is not there, or refuses the credentials, is named in one line", async () => {
    const away = (await make(tableUrl("127.0.0.1:1"))).open();
    await expect(away).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    const proxy = await proxied(() => ({ kind: "refuse", code: codes.UNAUTHENTICATED }));
    const refused = (await make(tableUrl(proxy.host))).open();
    await expect(refused).rejects.toMatchObject({ reason: "STORE_NOT_USABLE" });
    await expect(refused).rejects.toThrow(/gcloud auth application-default login/);
  });

  it("a library that is not installed is named, with the command that installs it", async () => {
    const loading = loadDriver(() => Promise.reject(new Error("Cannot find package '@google-cloud/bigtable'")));
    await expect(loading).rejects.toMatchObject({ reason: "DRIVER_MISSING" });
    await expect(loading).rejects.toThrow(/npm install @google-cloud\/bigtable@6/);
  });

  it("the feed's lag is chosen when the journal is made, and by nobody later", async () => {
    const url = tableUrl();
    await (await make(`${url}&feedLagMs=300`)).migrate({ dryRun: false });
    await (await make(url)).open();
    await expect((await make(`${url}&feedLagMs=200`)).open()).rejects.toThrow(/made with feedLagMs=300/);
  });
});

describeBigtable("Bigtable, a journal that is lost", () => {
  it("an emulator that begins anew is refused by whoever had the journal open, and by who asks for it", async () => {
    await using emulator = await Emulator.open("bigtable");
    const scene = new Scene(emulator.host);
    const store = await scene.open();
    await commit(store, appendTo("a", 0), appendTo("b", 0));
    const meta = (await rowsOfJournal(scene.url())).find(({ key }) => key === "meta#journal");
    const journal = meta?.cells.get("id")?.toString() ?? "";
    await emulator.kill();
    await expect(store.read(rowId("a"))).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await emulator.start();

    const gone = expect.objectContaining({
      reason: "STORE_NOT_USABLE",
      message: expect.stringContaining(`journal ${journal} is gone`),
    });
    const lost = async (call: () => Promise<unknown>): Promise<void> => {
      const said = async (): Promise<unknown> => call().then(String, (error: unknown) => error);
      await expect.poll(said).toEqual(gone);
    };
    await lost(() => store.append([appendTo("a", 1)]));
    // Somebody else makes a journal in its place: it is another one.
    const other = await scene.open();
    await commit(other, appendTo("a", 0));
    await lost(() => store.append([appendTo("c", 0)]));
    await lost(() => store.read(rowId("a")));
    await lost(() => store.tail({ after: 0, limit: 9 }));
    expect(await other.read(rowId("c"))).toBeNull();

    const strict = await createStore(`${scene.url()}&journal=${journal}`);
    onTestFinished(() => strict.close());
    await expect(strict.migrate({ dryRun: false })).rejects.toEqual(gone);
    await expect(strict.open()).rejects.toThrow(/holds another one/);
  });
});
