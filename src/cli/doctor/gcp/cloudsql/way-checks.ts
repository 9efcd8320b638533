import { fail, ok, type Finding } from "../../finding.ts";
import { note } from "../commands.ts";
import { onSight, serviceExamination, type Examination } from "../examination.ts";
import type { CloudSqlName, SqlPlace } from "../store/cloud-database.ts";
import { argsWith, cloudSqlName, isCloudSqlProxy, portOf, wordsOf } from "../store/proxy-container.ts";
import { instanceLook } from "./cloud-sql-looks.ts";

const id = "gcp.cloudsql.connection";

/** For a URL that names a socket: Cloud Run makes it for instances that are attached. */
export const attachedCheck = ({ project, region, instance }: CloudSqlName): Examination =>
  serviceExamination(id, (service): Finding => {
    const name = `${project}:${region}:${instance}`;
    const attached = service.cloudSqlInstances;
    if (attached.includes(name)) return ok(id, `Cloud SQL instance ${name} is attached to the service`);
    const others = attached.length === 0 ? "none is" : `${attached.join(", ")} is`;
    return fail(id, `the store URL leads to the socket of ${name}, which is not attached to the service: ${others}`, [
      service.command("update", { "add-cloudsql-instances": name }),
    ]);
  });

/** For a URL that leads to a proxy: it must be told an instance, and listen there. */
export const proxyCheck = ({ host, port }: SqlPlace): Examination =>
  serviceExamination(id, (service, at): Finding => {
    const proxy = service.sidecars.find(isCloudSqlProxy);
    if (proxy === undefined) return fail(id, "there is no proxy beside the server", [note("see gcp.service.proxy")]);
    const name = proxy.at("name").text ?? "proxy";
    const instance = cloudSqlName.exec(wordsOf(proxy));
    if (instance === null) {
      const example = `${at.project}:${service.place.region}:INSTANCE`;
      const says = `${name} is not told which Cloud SQL instance to connect to`;
      return fail(id, says, [service.update({ args: argsWith(proxy, example) }, name)]);
    }
    const listens = portOf(proxy, instance[4]);
    if (listens === port)
      return ok(id, `${name} listens at port ${port} for ${instance[0].trim().replace(/\?.*/, "")}`);
    return fail(id, `${name} listens at port ${listens}, but the store URL leads to ${host}:${port}`, [
      service.update({ args: argsWith(proxy, `--port=${port}`) }, name),
    ]);
  });

/** Whether an instance that has a private address only can be reached. */
export const networkCheck = (name: CloudSqlName): Examination =>
  serviceExamination("gcp.cloudsql.network", (service, at, own) => {
    if (service.isInNetwork) return ok(own, "the service is connected to a VPC network");
    return onSight(own, at.see(instanceLook(name)), (body): Finding => {
      const ip = body.at("settings", "ipConfiguration");
      if (!ip.at("ipv4Enabled").isFalse) return ok(own, `Cloud SQL instance ${name.instance} has a public address`);
      const network = ip.at("privateNetwork").text?.split("/").at(-1) ?? "NETWORK";
      const says = `the service is connected to no VPC network, but Cloud SQL instance ${name.instance} has an address in network ${network} only`;
      return fail(own, says, [service.connect(network)]);
    });
  });
