import { bigtableFamilies } from "../../../../store/open-store.ts";
import { fail, ok, skipped, warn, type Finding } from "../../finding.ts";
import { gcloud, note } from "../commands.ts";
import { examination, onSight, type Examination } from "../examination.ts";
import type { GcpCheckId } from "../gcp-checks.ts";
import type { Answer } from "../google/answer.ts";
import { JsonView } from "../google/json-view.ts";
import type { Installation } from "../installation.ts";
import {
  bigtableInstanceLook,
  bigtableTableLook,
  cbt,
  createProfile,
  family,
  profileLook,
  type BigtablePlace,
} from "./bigtable-looks.ts";

/** What is checked of a Bigtable store. */
export function bigtableExaminations(place: BigtablePlace): readonly Examination[] {
  return [
    examination("gcp.bigtable.instance", (at, id) => withoutEmulator(at, place, id, () => checkInstance(at, place))),
    examination("gcp.bigtable.table", (at) => checkTable(at, place)),
    examination("gcp.bigtable.profile", (at, id) => withoutEmulator(at, place, id, () => checkProfile(at, place))),
  ];
}

const emulatorOf = ({ options }: Installation, { emulator }: BigtablePlace): string | undefined =>
  emulator ?? (options.environment["BIGTABLE_EMULATOR_HOST"] || undefined);

async function withoutEmulator(
  at: Installation,
  place: BigtablePlace,
  id: GcpCheckId,
  check: () => Promise<Finding>,
): Promise<Finding> {
  const host = emulatorOf(at, place);
  return host === undefined
    ? check()
    : skipped(id, `the store is in an emulator at ${host}, which has neither instances nor profiles`);
}

async function checkInstance(at: Installation, place: BigtablePlace): Promise<Finding> {
  const id = "gcp.bigtable.instance";
  return onSight(id, at.see(bigtableInstanceLook(place)), (body): Finding => {
    const state = body.at("state").text ?? "of unknown state";
    const what = `Bigtable instance ${place.instance}`;
    if (state !== "READY") {
      return fail(id, `${what} is ${state}`, [
        gcloud("bigtable instances describe", [place.instance], { project: place.project }),
      ]);
    }
    if (body.at("type").text === "DEVELOPMENT") {
      return warn(id, `${what} is of type DEVELOPMENT: one node, and no promise that it is there`, [
        gcloud("bigtable instances upgrade", [place.instance], { project: place.project }),
      ]);
    }
    return ok(id, `${what} is ready`);
  });
}

async function checkTable(at: Installation, place: BigtablePlace): Promise<Finding> {
  const id = "gcp.bigtable.table";
  const look = bigtableTableLook(place);
  const emulator = emulatorOf(at, place);
  const answer =
    emulator === undefined
      ? await at.ask({ ...look, path: `${look.path}?view=SCHEMA_VIEW` })
      : await askEmulator(place, emulator);
  if (answer.kind !== "found") return at.refused(id, look, answer);
  const families = answer.body.at("columnFamilies");
  const rule = families.at(family, "gcRule");
  const { table } = place;
  if (!families.at(family).isObject) {
    return fail(id, `table ${table} has no column family ${family}, in which all of the journal is`, [
      cbt(place, `createfamily ${table} ${family}`),
      cbt(place, `setgcpolicy ${table} ${family} maxversions=1`),
    ]);
  }
  if (rule.at("maxNumVersions").number !== 1) {
    const says = `family ${family} of table ${table} ${keeping(rule)}; a journal takes exactly one version`;
    return fail(id, says, [cbt(place, `setgcpolicy ${table} ${family} maxversions=1`)]);
  }
  const others = families.entries.flatMap(([name]) => (name === family ? [] : [name]));
  if (others.length > 0) {
    return warn(
      id,
      `table ${table} has other families than ${family}: ${others.join(", ")}; is it used by something else?`,
      [note("give the journal a table of its own; deleting a family deletes what is in it")],
    );
  }
  return ok(id, `table ${table} has the one family ${family}, with one version a cell`);
}

/** What a rule other than one version does to a journal. Source: `GcRule`. */
function keeping(rule: JsonView): string {
  const versions = rule.at("maxNumVersions").number;
  if (versions !== undefined) return `keeps ${versions} versions of a cell: old heads stay`;
  if (rule.at("maxAge").text !== undefined) return "lets cells age out, and the journal with them";
  const isCombined = rule.at("intersection").isObject || rule.at("union").isObject;
  return isCombined ? "has a combination of rules" : "keeps every version of a cell: old heads stay for ever";
}

/** An emulator speaks gRPC only, so it is asked in the store's own way. */
async function askEmulator(place: BigtablePlace, emulator: string): Promise<Answer> {
  try {
    const families = await bigtableFamilies({ ...place, emulator });
    return families === undefined
      ? { kind: "missing" }
      : { kind: "found", body: new JsonView({ columnFamilies: families }) };
  } catch {
    return { kind: "unanswered", why: `the emulator at ${emulator} does not answer` };
  }
}

async function checkProfile(at: Installation, place: BigtablePlace): Promise<Finding> {
  const id = "gcp.bigtable.profile";
  const profile = place.appProfile ?? "default";
  return onSight(id, at.see(profileLook(place, profile)), (body): Finding => {
    const single = body.at("singleClusterRouting");
    const mend = [createProfile(place, "tape"), note("then name it in the store URL: ?appProfile=tape")];
    if (!single.isObject) {
      return fail(
        id,
        `app profile ${profile} routes to several clusters; the conditional writes of a journal take one`,
        mend,
      );
    }
    if (!single.at("allowTransactionalWrites").isTrue) {
      return fail(id, `app profile ${profile} does not allow transactions on a row, and every commit is one`, mend);
    }
    return ok(
      id,
      `app profile ${profile} routes to cluster ${single.at("clusterId").text ?? "of unknown name"} and allows transactions on a row`,
    );
  });
}
