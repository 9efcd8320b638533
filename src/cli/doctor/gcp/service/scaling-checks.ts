import { ok, warn, type Finding } from "../../finding.ts";
import { serviceExamination, type Examination } from "../examination.ts";

/** Whether a server is always there. Timers, reactions and compensations run in it, not in a request. */
export const instancesCheck: Examination = serviceExamination("gcp.service.instances", (service, _, id): Finding => {
  const scaling = service.body.at("scaling");
  const isManual = scaling.at("scalingMode").text === "MANUAL";
  const counts = isManual
    ? [scaling.at("manualInstanceCount").number]
    : [scaling.at("minInstanceCount").number, service.template.at("scaling", "minInstanceCount").number];
  const least = Math.max(0, ...counts.map((count) => count ?? 0));
  if (least >= 1) return ok(id, `there ${least === 1 ? "is always one server" : `are always ${least} servers`}`);
  return warn(
    id,
    "there may be no server at all: timers do not fire, and nothing is compensated, until a request comes",
    [service.command("update", isManual ? { scaling: 1 } : { min: 1 })],
  );
});

/** Whether the server can work between requests. */
export const cpuCheck: Examination = serviceExamination("gcp.service.cpu", (service, _, id): Finding => {
  const resources = service.server.at("resources");
  // By default a CPU is there during requests only; but where resources are named, what is false is left out.
  const isIdle = resources.at("cpuIdle").isTrue || !resources.isObject;
  if (!isIdle) return ok(id, "the server has its CPU all the time");
  return warn(
    id,
    "the server has a CPU during requests only: timers, leases and the drain at its end stand still in between",
    [service.command("update", { "no-cpu-throttling": true })],
  );
});

/** Each stream takes one place for as long as it lasts. */
const fewestPlaces = 40;
/** Seconds. Cloud Run's default; below it, streams are cut and begun again all the time. */
const shortestTime = 300;
const cloudRunPlaces = 80;

/** Whether streams, which last, find room beside the calls. */
export const requestsCheck: Examination = serviceExamination("gcp.service.requests", (service, _, id): Finding => {
  const places = service.template.at("maxInstanceRequestConcurrency").number ?? cloudRunPlaces;
  const seconds = Number(/^(\d+(?:\.\d+)?)s$/.exec(service.template.at("timeout").text ?? "")?.[1] ?? shortestTime);
  const what = `${places} requests at a time for a server, each for at most ${seconds} s`;
  const faults = [
    ...(places < fewestPlaces ? [`every subscriber takes one of ${places} places, so calls wait behind streams`] : []),
    ...(seconds < shortestTime ? [`streams are cut after ${seconds} s`] : []),
  ];
  if (faults.length === 0) return ok(id, what);
  const flags = {
    ...(places < fewestPlaces ? { concurrency: 250 } : {}),
    ...(seconds < shortestTime ? { timeout: 3600 } : {}),
  };
  return warn(id, `${what}: ${faults.join("; ")}`, [service.command("update", flags)]);
});
