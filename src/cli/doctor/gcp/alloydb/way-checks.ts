import { fail, ok, type Finding } from "../../finding.ts";
import { note } from "../commands.ts";
import { onSight, serviceExamination, type Examination } from "../examination.ts";
import type { Installation } from "../installation.ts";
import type { Sight } from "../sight.ts";
import type { AlloydbDatabase, AlloydbName, SqlPlace } from "../store/cloud-database.ts";
import { alloydbUri, argsWith, isAlloydbProxy, portOf, wordsOf } from "../store/proxy-container.ts";
import { clusterLook } from "./alloydb-looks.ts";

/** Whether the proxy listens where the URL leads. */
export const proxyCheck = ({ host, port }: SqlPlace): Examination =>
  serviceExamination("gcp.alloydb.proxy", (service, at, id): Finding => {
    const proxy = service.sidecars.find(isAlloydbProxy);
    if (proxy === undefined) {
      return fail(id, "there is no AlloyDB Auth Proxy beside the server", [note("see gcp.service.proxy")]);
    }
    const name = proxy.at("name").text ?? "proxy";
    const uri = alloydbUri.exec(wordsOf(proxy));
    if (uri === null) {
      const example = `projects/${at.project}/locations/${service.place.region}/clusters/CLUSTER/instances/INSTANCE`;
      const says = `${name} is not told which AlloyDB instance to connect to`;
      return fail(id, says, [service.update({ args: argsWith(proxy, example) }, name)]);
    }
    const listens = portOf(proxy, uri[5]);
    if (listens !== port) {
      return fail(id, `${name} listens at port ${listens}, but the store URL leads to ${host}:${port}`, [
        service.update({ args: argsWith(proxy, `--port=${port}`) }, name),
      ]);
    }
    return ok(id, `${name} listens at port ${port} for ${uri[0].replace(/\?.*/, "")}`);
  });

/** Whether the service is connected to the network that the instance is in. */
export const networkCheck = (
  { by }: AlloydbDatabase,
  named: (at: Installation) => Promise<Sight<AlloydbName>>,
): Examination =>
  serviceExamination("gcp.alloydb.network", (service, at, id) => {
    if (service.isInNetwork) return ok(id, "the service is connected to a VPC network");
    const proxy = service.sidecars.find(isAlloydbProxy);
    const isPublic = by === "proxy" && proxy !== undefined && /--public-ip\b/.test(wordsOf(proxy));
    return onSight(id, named(at), (name) =>
      onSight(id, at.see(clusterLook(name)), (cluster): Finding => {
        if (isPublic) return ok(id, "the proxy uses the instance's public address");
        const network = cluster.at("network").text ?? cluster.at("networkConfig", "network").text;
        const short = network?.split("/").at(-1) ?? "NETWORK";
        return fail(
          id,
          `the service is connected to no VPC network, but AlloyDB cluster ${name.cluster} is reached through network ${short}`,
          [service.connect(short)],
        );
      }),
    );
  });
