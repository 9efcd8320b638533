import type { JsonView } from "../google/json-view.ts";

/** An Auth Proxy of AlloyDB, by its image or by what it is told to connect to. */
export const isAlloydbProxy = (container: JsonView): boolean =>
  (container.at("image").text ?? "").includes("alloydb-auth-proxy") || alloydbUri.test(wordsOf(container));

/** An Auth Proxy of Cloud SQL. */
export const isCloudSqlProxy = (container: JsonView): boolean =>
  /cloud-sql-proxy|cloudsql-docker|gce-proxy/.test(container.at("image").text ?? "");

/** `projects/P/locations/R/clusters/C/instances/I`, with the parameters that a proxy takes behind it. */
export const alloydbUri: RegExp =
  /projects\/([^/\s]+)\/locations\/([^/\s]+)\/clusters\/([^/\s]+)\/instances\/([^/\s?]+)(\?\S*)?/;

/** `project:region:instance`, likewise; a project of a domain has a colon in its name. */
export const cloudSqlName: RegExp = /(?:^|[\s/])((?:[a-z][\w.-]*:)?[a-z][\w-]*):([a-z]+-[a-z]+\d+):([\w-]+)(\?\S*)?/;

/** All that a container is started with: words and variables. */
export const wordsOf = (container: JsonView): string =>
  [
    ...container.at("command").texts,
    ...container.at("args").texts,
    ...container.at("env").items.map((one) => one.at("value").text ?? ""),
  ].join(" ");

/** It logs in with its own token, whatever password comes. */
export const logsInByToken = (container: JsonView): boolean =>
  /(?:^|\s)(?:--auto-iam-authn|-i)\b(?!=false)/.test(wordsOf(container));

/** Where it listens. `parameters`: those behind the instance's name. */
export function portOf(container: JsonView, parameters: string | undefined): number {
  const own = /[?&]port=(\d+)/.exec(parameters ?? "")?.[1];
  // Both proxies begin at PostgreSQL's own port.
  return Number(own ?? /(?:^|\s)(?:--port[= ]|-p[= ]?)(\d+)/.exec(wordsOf(container))?.[1] ?? 5432);
}

/** Its arguments, with one flag changed; gcloud replaces them all. */
export function argsWith(container: JsonView, flag: string): string {
  const name = flag.replace(/=.*/, "");
  const others = container.at("args").texts.filter((one) => one.replace(/=.*/, "") !== name);
  const all = [flag, ...others];
  // Where one holds a comma, gcloud takes another sign between them.
  return all.some((one) => one.includes(",")) ? `^;^${all.join(";")}` : all.join(",");
}
