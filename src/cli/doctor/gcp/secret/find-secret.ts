import { skipped } from "../../finding.ts";
import { gcloud } from "../commands.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import { seen, unseen, type Sight } from "../sight.ts";
import { defaultSecret, storeVariable } from "../service/store-setting-check.ts";

/** A version of a secret. */
export interface SecretRef {
  readonly project: string;
  readonly name: string;
  /** A number, an alias or `latest`. */
  readonly version: string;
}

/** The secret that holds the store URL: the one that is named, else the one that the service reads. */
export async function findSecret(at: Installation): Promise<Sight<SecretRef>> {
  const { options, project } = at;
  const service = await at.service();
  const setting = service.kind === "seen" ? service.value.setting(storeVariable) : undefined;
  const read = setting?.kind === "secret" ? { ...split(setting.secret, project), version: setting.version } : undefined;
  if (options.secret !== undefined) {
    const named = split(options.secret, project);
    return seen(named.name === read?.name && named.project === project ? read : { ...named, version: "latest" });
  }
  if (read !== undefined) return seen(read);
  if (service.kind === "unseen") return seen({ project, name: defaultSecret, version: "latest" });
  return unseen((id) => skipped(id, `the service takes no ${storeVariable} from a secret: see gcp.service.store`));
}

/** A secret of another project is named in full. */
function split(text: string, project: string): { readonly project: string; readonly name: string } {
  const [, other, name] = /^projects\/([^/]+)\/secrets\/([^/]+)$/.exec(text) ?? [];
  return other === undefined || name === undefined ? { project, name: text } : { project: other, name };
}

/** `gcloud secrets <verb>` on this one. */
export const secretCommand = (
  verb: string,
  { name, project }: SecretRef,
  flags: Readonly<Record<string, string | true>> = {},
): string => gcloud(`secrets ${verb}`, [name], { project, ...flags });

/** Makes a new version; the URL never stands on a command line, where others could read it. */
export const addVersion = (ref: SecretRef): string =>
  `printf %s "$TAPE_STORE" | ${secretCommand("versions add", ref, { "data-file": "-" })}`;

/** The command that gives somebody a role on this secret only. */
export const granted =
  (ref: SecretRef, role: string) =>
  (member: string): string =>
    secretCommand("add-iam-policy-binding", ref, { member, role });

const pathOf = ({ project, name }: SecretRef): string => `/v1/projects/${project}/secrets/${name}`;
const viewer = "roles/secretmanager.viewer";
export const accessor = "roles/secretmanager.secretAccessor";

export const secretLook = (ref: SecretRef): Look => ({
  api: "secretmanager",
  path: pathOf(ref),
  what: `secret ${ref.name}`,
  permission: "secretmanager.secrets.get",
  grant: granted(ref, viewer),
  create: [secretCommand("create", ref, { "replication-policy": "automatic" }), addVersion(ref)],
});

export const versionLook = (ref: SecretRef): Look => ({
  api: "secretmanager",
  path: `${pathOf(ref)}/versions/${ref.version}`,
  what: `version ${ref.version} of secret ${ref.name}`,
  permission: "secretmanager.versions.get",
  grant: granted(ref, viewer),
  create: [addVersion(ref)],
});

export const payloadLook = (ref: SecretRef): Look => ({
  api: "secretmanager",
  path: `${pathOf(ref)}/versions/${ref.version}:access`,
  what: `what is in version ${ref.version} of secret ${ref.name}`,
  permission: "secretmanager.versions.access",
  grant: granted(ref, accessor),
  create: [addVersion(ref)],
});

export const secretPolicyLook = (ref: SecretRef): Look => ({
  api: "secretmanager",
  path: `${pathOf(ref)}:getIamPolicy?options.requestedPolicyVersion=3`,
  what: `the IAM policy of secret ${ref.name}`,
  permission: "secretmanager.secrets.getIamPolicy",
  grant: granted(ref, viewer),
  create: secretLook(ref).create,
});
