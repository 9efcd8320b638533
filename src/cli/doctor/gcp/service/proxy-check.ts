import { fail, ok, type Finding } from "../../finding.ts";
import { note } from "../commands.ts";
import { serviceExamination, type Examination } from "../examination.ts";
import { isAlloydbProxy, isCloudSqlProxy } from "../store/proxy-container.ts";

/** Whether the proxy that a store at a loopback address needs is there, and there first. */
export const proxyCheck: Examination = serviceExamination("gcp.service.proxy", (service, _, id): Finding => {
  const proxy = service.sidecars.find((one) => isAlloydbProxy(one) || isCloudSqlProxy(one));
  if (proxy === undefined) {
    const { project, region } = service.place;
    const says = "the store is at a loopback address, but beside the server there is no proxy that could listen there";
    return fail(id, says, [
      note("the Terraform module tape-cloud-run adds it; by hand, add the container to tape.yaml in between:"),
      `${service.command("describe", { format: "export" })} > tape.yaml`,
      `gcloud run services replace tape.yaml --project=${project} --region=${region}`,
    ]);
  }
  const name = proxy.at("name").text ?? "proxy";
  const startup = "httpGet.path=/startup,httpGet.port=9090,periodSeconds=1,failureThreshold=60";
  const probe = [
    note(`${name} must run with --health-check, --http-address=0.0.0.0 and --http-port=9090`),
    service.update({ "startup-probe": startup }, name),
  ];
  const order = service.update({ "depends-on": name });
  const isProbed = proxy.at("startupProbe").isObject;
  const isAwaited = service.server.at("dependsOn").texts.includes(name);
  if (isProbed && isAwaited) return ok(id, `the server starts once ${name} is up`);
  if (isProbed)
    return fail(id, `the server does not wait for ${name}: it may start without its store, and fail`, [order]);
  return isAwaited
    ? fail(id, `${name} has no startup probe: the server waits only for its start, not until it is up`, probe)
    : fail(id, `${name} has no startup probe, and the server does not wait for it`, [...probe, order]);
});
