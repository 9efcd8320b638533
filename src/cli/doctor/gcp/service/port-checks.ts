import { fail, ok, warn, type Finding } from "../../finding.ts";
import { serviceExamination, type Examination } from "../examination.ts";

/** Whether gRPC reaches the server as gRPC. */
export const http2Check: Examination = serviceExamination("gcp.service.http2", (service, _, id): Finding => {
  const port = service.server.at("ports").items[0];
  if (port?.at("name").text === "h2c") return ok(id, "Cloud Run speaks HTTP/2 to the server");
  return fail(
    id,
    "Cloud Run speaks HTTP/1.1 to the server: gRPC does not get through, and no bidirectional stream does",
    [service.command("update", { "use-http2": true })],
  );
});

const startup = "/readyz";
const alive = "/healthz";

/** Whether a server gets requests before it can answer them. */
export const startupCheck: Examination = serviceExamination("gcp.service.startup", (service, _, id): Finding => {
  const path = service.server.at("startupProbe", "httpGet", "path").text;
  if (path === startup) return ok(id, `a server gets requests once ${startup} says that it has its store`);
  const has = path === undefined ? "does not ask the server itself" : `asks ${path}`;
  return warn(id, `the startup probe ${has}: requests come before the server has its store`, [
    service.update({ "startup-probe": `httpGet.path=${startup},periodSeconds=2,failureThreshold=60` }),
  ]);
});

/** Whether a server that hangs is replaced, and one whose store is away is not. */
export const livenessCheck: Examination = serviceExamination("gcp.service.liveness", (service, _, id): Finding => {
  const path = service.server.at("livenessProbe", "httpGet", "path").text;
  if (path === alive) return ok(id, `a server is replaced when ${alive} does not answer`);
  const has =
    path === startup
      ? `the liveness probe asks ${startup}: while the store is away, servers are killed again and again`
      : path === undefined
        ? "there is no liveness probe that asks the server: one that hangs stays"
        : `the liveness probe asks ${path}, which says nothing about the server`;
  return warn(id, has, [service.update({ "liveness-probe": `httpGet.path=${alive},periodSeconds=10` })]);
});
