import { fail, ok, warn, type Finding } from "../../finding.ts";
import { serviceExamination, type Examination } from "../examination.ts";

const mode = "TAPE_AUTH";
const insecure = "TAPE_INSECURE_NO_AUTH";

/** Whether the server asks by itself, behind what Cloud Run asks. */
export const authCheck: Examination = serviceExamination("gcp.service.auth", (service, _, id): Finding => {
  const setting = service.setting(mode);
  if (setting?.kind === "secret") return ok(id, `${mode} comes from a secret`);
  const value = setting?.value ?? "none";
  // Whatever else may have got there by mistake is not shown.
  const shown = /^[a-z]{1,16}$/.test(value) ? value : "...";
  if (value !== "none") return ok(id, `the server asks by itself who calls (${mode}=${shown})`);
  const mend = [
    service.update({ "update-env-vars": `${mode}=token`, "update-secrets": "TAPE_TOKENS=tape-tokens:latest" }),
  ];
  const allowed = service.setting(insecure);
  if (allowed?.kind === "literal" && /^(?:true|1|yes|on)$/i.test(allowed.value)) {
    const says = `whoever may call the service may do everything in every tenant: ${mode} is none, and ${insecure} allows it`;
    return warn(id, says, [service.update({ "remove-env-vars": insecure }), ...mend]);
  }
  const is = setting === undefined ? "is not set" : "is none";
  return fail(id, `${mode} ${is}: the server refuses to start at an address that others reach`, mend);
});
