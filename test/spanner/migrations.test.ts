import { expect, it } from "vitest";
import { loadDriver } from "../../src/store/spanner/driver.ts";
import { schemaSteps } from "../../src/store/spanner/schema.ts";
import { SchemaChanges } from "../../src/store/spanner/schema-changes.ts";
import { parseSpannerUrl } from "../../src/store/spanner/spanner-url.ts";
import type { MigrationStep } from "../../src/store/store.ts";
import { appendTo, commit, refused, rowOf, upTo } from "../../src/testing/test-store/material.ts";
import { Emulator } from "../emulators/emulator.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { Scene } from "./fixture.ts";

const second: MigrationStep = {
  id: 2,
  name: "more",
  statements: "create table if not exists tape_more (n int64) primary key (n)\n;",
};
const twoSteps = [...schemaSteps, second];
const idsOf = (steps: readonly MigrationStep[]): readonly number[] => steps.map(({ id }) => id);

describeSpanner("Spanner, migrations", (host) => {
  it("a dry run tells what is pending, and makes nothing, not even the database", async () => {
    const scene = new Scene(host);
    const store = scene.store();
    const report = await store.migrate({ dryRun: true });
    expect(idsOf(report.steps)).toEqual([1]);
    expect(report.steps[0]?.statements).toContain("interleave in parent tape_rows");
    await refused(scene.store().open(), "STORE_NOT_USABLE", "opening a database that is not there");
    await expect(scene.store().open()).rejects.toThrow(/does not exist; tape migrate creates it on an emulator/);
  });

  it("begin with an empty database, as Terraform makes it, and change nothing when they are done", async () => {
    const scene = new Scene(host);
    await new SchemaChanges(await loadDriver(), parseSpannerUrl(scene.url())).createDatabase();
    await refused(scene.store().open(), "MIGRATION_PENDING", "opening an empty database");
    expect(idsOf((await scene.store().migrate({ dryRun: true })).steps)).toEqual([1]);
    expect(idsOf((await scene.store().migrate({ dryRun: false })).steps)).toEqual([1]);
    expect(await scene.store().migrate({ dryRun: false })).toEqual({ steps: [], dryRun: false });
    await scene.store().open();
  });

  it("of six servers that start together, each step is applied once, and all are open", async () => {
    const scene = new Scene(host);
    const stores = upTo(6).map(() => scene.store({ steps: twoSteps }));
    const reports = await Promise.all(stores.map((store) => store.migrate({ dryRun: false })));
    expect(reports.flatMap(({ steps }) => idsOf(steps)).toSorted((a, b) => a - b)).toEqual([1, 2]);
    await Promise.all(stores.map((store, i) => commit(store, appendTo(`row-${i}`, 0))));
    for (const i of upTo(6)) expect((await rowOf(stores[0] ?? scene.store(), `row-${i}`)).version).toBe(1);
  });

  it("go on where one was cut short between the schema and the note of it", async () => {
    const scene = new Scene(host);
    const changes = new SchemaChanges(await loadDriver(), parseSpannerUrl(scene.url()));
    await changes.createDatabase();
    for (const step of schemaSteps) await changes.apply(step);
    const store = await scene.open();
    await commit(store, appendTo("a", 0));
    expect((await scene.store().migrate({ dryRun: true })).steps).toEqual([]);
  });

  it("a journal of a newer Tape, or of another one, is refused", async () => {
    const scene = new Scene(host);
    await scene.open({ steps: twoSteps });
    await refused(scene.store().open(), "FORMAT_NEWER", "opening");
    await refused(scene.store().migrate({ dryRun: false }), "FORMAT_NEWER", "migrating");
    const other = [...schemaSteps, { ...second, statements: `${second.statements}\n` }];
    await expect(scene.store({ steps: other }).open()).rejects.toThrow(/step 2 \(more\) is not the one known here/);
  });

  it("a step that the service refuses is not written down", async () => {
    const scene = new Scene(host);
    const broken = { ...second, statements: "create nonsense\n;" };
    const store = scene.store({ steps: [...schemaSteps, broken] });
    await expect(store.migrate({ dryRun: false })).rejects.toThrow(/working with database tape .* failed/);
    expect(idsOf((await scene.store({ steps: twoSteps }).migrate({ dryRun: true })).steps)).toEqual([2]);
  });
});

describeSpanner("Spanner, an emulator that begins anew", () => {
  it("is not taken for the journal that it held before", { timeout: 60_000 }, async () => {
    await using emulator = await Emulator.open("spanner");
    const scene = new Scene(emulator.host);
    const store = await scene.open();
    await commit(store, appendTo("a", 0));
    await emulator.kill();
    await emulator.start();
    await refused(store.read(appendTo("a", 0).row), "STORE_NOT_USABLE", "reading where there is no database");
    await scene.open();
    await expect(store.append([appendTo("a", 1)])).rejects.toThrow(/is gone: .* holds another one/);
    await refused(store.read(appendTo("a", 0).row), "STORE_NOT_USABLE", "reading another journal");
  });
});
