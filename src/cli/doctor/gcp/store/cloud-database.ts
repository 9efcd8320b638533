import { isIP } from "node:net";
import type { StorePlace } from "../../../../store/open-store.ts";
import { grantInProject } from "../commands.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import {
  alloydbUri,
  cloudSqlName,
  isAlloydbProxy,
  isCloudSqlProxy,
  logsInByToken,
  wordsOf,
} from "./proxy-container.ts";

/** What speaks PostgreSQL at the other end, and how the server gets there. */
export type CloudDatabase = AlloydbDatabase | CloudSqlDatabase | { readonly kind: "other" };

/** `instance`: undefined when neither the URL nor a proxy names it. `isByToken`: nobody logs in with a password. */
export interface AlloydbDatabase {
  readonly kind: "alloydb";
  readonly by: "proxy" | "connector" | "address";
  readonly instance: AlloydbName | undefined;
  readonly isByToken: boolean;
}

/** As {@link AlloydbDatabase}. */
export interface CloudSqlDatabase {
  readonly kind: "cloudsql";
  readonly by: "proxy" | "socket" | "address";
  readonly instance: CloudSqlName | undefined;
  readonly isByToken: boolean;
}

/** Parts of `projects/P/locations/R/clusters/C/instances/I`. */
export interface AlloydbName {
  readonly project: string;
  readonly region: string;
  readonly cluster: string;
  readonly instance: string;
}

/** Parts of `project:region:instance`. */
export interface CloudSqlName {
  readonly project: string;
  readonly region: string;
  readonly instance: string;
}

/** A place that a `postgres:` or `alloydb:` URL names. */
export type SqlPlace = Extract<StorePlace, { readonly host: string }>;

export const isLoopback = (host: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);

/** Which of Google's databases a place is, by its URL, by the proxies beside the server, and by its address. */
export async function cloudDatabase(at: Installation, place: StorePlace): Promise<CloudDatabase> {
  if (!("host" in place)) return { kind: "other" };
  const { kind, host, instance, iam } = place;
  if (instance !== undefined) {
    return { kind: "alloydb", by: "connector", instance: alloydbIn(instance), isByToken: iam };
  }
  if (host.startsWith("/cloudsql/")) {
    return { kind: "cloudsql", by: "socket", instance: cloudSqlIn(host), isByToken: false };
  }
  if (isLoopback(host)) return behindProxy(at, place);
  if (kind === "alloydb") return { kind, by: "address", instance: undefined, isByToken: iam };
  return isIP(host) === 0 ? { kind: "other" } : cloudSqlAt(at, host);
}

async function behindProxy(at: Installation, { kind, iam }: SqlPlace): Promise<CloudDatabase> {
  const service = await at.service();
  const sidecars = service.kind === "seen" ? service.value.sidecars : [];
  const alloydb = sidecars.find(isAlloydbProxy);
  if (alloydb !== undefined) {
    const isByToken = iam || logsInByToken(alloydb);
    return { kind: "alloydb", by: "proxy", instance: alloydbIn(wordsOf(alloydb)), isByToken };
  }
  const cloudSql = sidecars.find(isCloudSqlProxy);
  if (cloudSql !== undefined) {
    const isByToken = logsInByToken(cloudSql);
    return { kind: "cloudsql", by: "proxy", instance: cloudSqlIn(wordsOf(cloudSql)), isByToken };
  }
  return kind === "alloydb" ? { kind, by: "proxy", instance: undefined, isByToken: iam } : { kind: "other" };
}

const allInstancesLook = (project: string): Look => ({
  api: "sqladmin",
  path: `/v1/projects/${project}/instances`,
  what: `the Cloud SQL instances of project ${project}`,
  permission: "cloudsql.instances.list",
  grant: grantInProject(project, "roles/cloudsql.viewer"),
  create: [],
});

/** An address may be anybody's: what cannot be seen to be Cloud SQL's is taken for a database of one's own. */
async function cloudSqlAt(at: Installation, host: string): Promise<CloudDatabase> {
  const answer = await at.ask(allInstancesLook(at.project));
  if (answer.kind !== "found") return { kind: "other" };
  const one = answer.body
    .at("items")
    .items.find((each) => each.at("ipAddresses").items.some((address) => address.at("ipAddress").text === host));
  const instance = cloudSqlIn(one?.at("connectionName").text ?? "");
  return instance === undefined ? { kind: "other" } : { kind: "cloudsql", by: "address", instance, isByToken: false };
}

function alloydbIn(text: string): AlloydbName | undefined {
  const [, project, region, cluster, instance] = alloydbUri.exec(text) ?? [];
  if (project === undefined || region === undefined || cluster === undefined || instance === undefined) {
    return undefined;
  }
  return { project, region, cluster, instance };
}

function cloudSqlIn(text: string): CloudSqlName | undefined {
  const [, project, region, instance] = cloudSqlName.exec(text) ?? [];
  return project === undefined || region === undefined || instance === undefined
    ? undefined
    : { project, region, instance };
}
