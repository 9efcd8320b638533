import { fail, ok, warn, type Finding } from "../../finding.ts";
import { serviceExamination, type Examination } from "../examination.ts";
import { gcloud } from "../commands.ts";

export const storeVariable = "TAPE_STORE";
export const defaultSecret = "tape-store";

/** Whether the store URL, which as a rule holds a password, is kept where passwords belong. */
export const storeSettingCheck: Examination = serviceExamination("gcp.service.store", (service, at, id): Finding => {
  const setting = service.setting(storeVariable);
  if (setting?.kind === "secret") {
    const name = setting.secret.split("/").at(-1) ?? setting.secret;
    const wanted = at.options.secret?.split("/").at(-1) ?? name;
    if (wanted !== name) {
      const change = service.update({ "update-secrets": `${storeVariable}=${wanted}:latest` });
      return warn(id, `${storeVariable} comes from secret ${name}, not from ${wanted}`, [change]);
    }
    return ok(id, `${storeVariable} comes from secret ${name}, version ${setting.version}`);
  }
  const secret = at.options.secret ?? defaultSecret;
  const fromSecret = service.update({ "update-secrets": `${storeVariable}=${secret}:latest` });
  const create = gcloud("secrets create", [secret], { project: at.project, "replication-policy": "automatic" });
  const add = `printf %s "$${storeVariable}" | ${gcloud("secrets versions add", [secret], { project: at.project, "data-file": "-" })}`;
  if (setting === undefined) {
    const says = `${storeVariable} is not set: the journal would be a file in the container, and end with it`;
    return fail(id, says, [create, add, fromSecret]);
  }
  const mend = [create, add, service.update({ "remove-env-vars": storeVariable }), fromSecret];
  // Everybody who may look at the service can read it, and so can everybody who may read its logs of changes.
  return /:\/\/[^/?]*:[^/?]*@|pass/i.test(setting.value)
    ? fail(
        id,
        `${storeVariable} stands in the service's settings, password and all, not in a secret; change the password too`,
        mend,
      )
    : warn(id, `${storeVariable} stands in the service's settings, not in a secret`, mend);
});
