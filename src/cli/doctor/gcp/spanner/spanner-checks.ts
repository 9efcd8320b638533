import { spannerWarning } from "../../../../store/open-store.ts";
import { fail, ok, skipped, warn, type Finding } from "../../finding.ts";
import { gcloud, note } from "../commands.ts";
import { examination, onSight, serviceExamination, type Examination } from "../examination.ts";
import type { GcpCheckId } from "../gcp-checks.ts";
import type { JsonView } from "../google/json-view.ts";
import type { Look } from "../google/look.ts";
import { spannerDatabaseLook, spannerInstanceLook, type SpannerPlace } from "./spanner-looks.ts";

const variable = "TAPE_SPANNER_EXPERIMENTAL";

const experimentalCheck: Examination = examination("gcp.spanner.experimental", async (_, id) => {
  const text = await spannerWarning();
  return warn(id, text, [note("choose another store (docs/stores), or read docs/stores/spanner.md and accept it")]);
});

const switchCheck: Examination = serviceExamination("gcp.spanner.switch", (service, _, id): Finding => {
  const setting = service.setting(variable);
  if (setting?.kind === "literal" && setting.value === "1") return ok(id, `${variable}=1 is set on the service`);
  if (setting?.kind === "secret") return ok(id, `${variable} is set on the service, from a secret`);
  const is = setting === undefined ? "is not set" : "is not 1";
  return fail(id, `${variable} ${is} on the service: the server refuses to start`, [
    service.update({ "update-env-vars": `${variable}=1` }),
  ]);
});

/** What is checked of a Spanner store. */
export function spannerExaminations(place: SpannerPlace): readonly Examination[] {
  const on = (id: GcpCheckId, look: Look, check: (body: JsonView) => Finding): Examination =>
    examination(id, async (at) => {
      const emulator = place.emulator ?? (at.options.environment["SPANNER_EMULATOR_HOST"] || undefined);
      // Its REST port is another one than that of gRPC, and nobody names it, unless the endpoint does.
      if (emulator !== undefined && at.options.endpoints?.spanner === undefined) {
        return skipped(id, `the store is in an emulator at ${emulator}`);
      }
      return onSight(id, at.see(look), check);
    });
  return [
    experimentalCheck,
    on("gcp.spanner.instance", spannerInstanceLook(place), (body) => checkInstance(body, place)),
    on("gcp.spanner.database", spannerDatabaseLook(place), (body) => checkDatabase(body, place)),
    switchCheck,
  ];
}

function checkInstance(body: JsonView, { instance, project }: SpannerPlace): Finding {
  const id = "gcp.spanner.instance";
  const state = body.at("state").text ?? "of unknown state";
  if (state === "READY") return ok(id, `Spanner instance ${instance} is ready`);
  return fail(id, `Spanner instance ${instance} is ${state}`, [
    gcloud("spanner instances describe", [instance], { project }),
  ]);
}

function checkDatabase(body: JsonView, { database, instance, project }: SpannerPlace): Finding {
  const id = "gcp.spanner.database";
  const state = body.at("state").text ?? "of unknown state";
  const what = `database ${database} of Spanner instance ${instance}`;
  if (body.at("databaseDialect").text === "POSTGRESQL") {
    return fail(id, `${what} speaks the PostgreSQL dialect; Tape's tables are made in GoogleSQL`, [
      gcloud("spanner databases create", ["ANOTHER_NAME"], {
        project,
        instance,
        "database-dialect": "GOOGLE_STANDARD_SQL",
      }),
      note("then name it in the store URL"),
    ]);
  }
  // While it is optimised after a restore, it is served already.
  if (state === "READY" || state === "READY_OPTIMIZING") return ok(id, `${what} is ready`);
  return fail(id, `${what} is ${state}`, [gcloud("spanner databases describe", [database], { project, instance })]);
}
