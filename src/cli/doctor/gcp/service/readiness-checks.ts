import { fail, ok, warn, type Finding } from "../../finding.ts";
import { examination, onSight, serviceExamination, type Examination } from "../examination.ts";
import { note } from "../commands.ts";
import type { CloudRunService } from "./cloud-run-service.ts";

/** Whether the service is there, and whether its latest revision gets the requests. */
export const readyCheck: Examination = examination("gcp.service.ready", (at, id) =>
  onSight(id, at.service(), (service): Finding => {
    const { place, body } = service;
    const condition = body.at("terminalCondition");
    const state = condition.at("state").text ?? "of unknown state";
    const what = `Cloud Run service ${place.name} in ${place.region}`;
    const logs = service.command("logs read", { limit: 50 });
    if (body.at("deleteTime").text !== undefined)
      return fail(id, `${what} has been deleted`, [note("deploy it again")]);
    if (body.at("reconciling").isTrue)
      return warn(id, `${what} is being changed just now`, [note("look again in a minute")]);
    if (state !== "CONDITION_SUCCEEDED") {
      const reason = [condition.at("reason").text, condition.at("revisionReason").text].find(
        (one) => one !== undefined,
      );
      return fail(id, `${what} is not ready: ${reason ?? state}`, [logs, service.command("describe", {})]);
    }
    const latest = nameOf(body.at("latestCreatedRevision").text);
    const elsewhere = sharesOfOthers(service, latest);
    if (elsewhere > 0) {
      return warn(
        id,
        `${what} is ready, but ${elsewhere} % of the requests go to revisions before ${latest}, which is the one checked here`,
        [service.command("update-traffic", { "to-latest": true })],
      );
    }
    return ok(id, `${what} is ready, revision ${latest}`);
  }),
);

const nameOf = (path: string | undefined): string => path?.split("/").at(-1) ?? "of unknown name";

function sharesOfOthers({ body }: CloudRunService, latest: string): number {
  const shares = body.at("traffic").items.map((one) => {
    const isOther =
      one.at("type").text === "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" && one.at("revision").text !== latest;
    return isOther ? (one.at("percent").number ?? 0) : 0;
  });
  return shares.reduce((sum, share) => sum + share, 0);
}

/** Whether what runs is what was tested. */
export const imageCheck: Examination = serviceExamination("gcp.service.image", (service, _, id): Finding => {
  const image = service.server.at("image").text ?? "of unknown name";
  const isOurs = /^[a-z0-9-]+-docker\.pkg\.dev\//.test(image);
  const isFixed = /@sha256:[0-9a-f]{64}$/.test(image);
  const name = image.replace(/[@:][^/]*$/, "");
  if (isOurs && isFixed) return ok(id, `image ${name} is from Artifact Registry and fixed by its digest`);
  const faults = [
    ...(isOurs
      ? []
      : ["does not come from Artifact Registry: Cloud Run depends on somebody else's registry to start a server"]),
    ...(isFixed ? [] : ["is named by a tag, which can come to mean another image"]),
  ];
  const target = isOurs ? name : "REGION-docker.pkg.dev/PROJECT/REPOSITORY/tape";
  return warn(id, `image ${name} ${faults.join(", and ")}`, [
    `gcloud artifacts docker images describe ${isOurs ? image : `${target}:TAG`} --format='value(image_summary.digest)'`,
    service.update({ image: `${target}@sha256:DIGEST` }),
  ]);
});
