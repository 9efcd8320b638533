import type { Examination } from "../examination.ts";
import { authCheck } from "./auth-check.ts";
import { identityCheck } from "./identity-check.ts";
import { http2Check, livenessCheck, startupCheck } from "./port-checks.ts";
import { ingressCheck, invokersCheck } from "./reach-checks.ts";
import { imageCheck, readyCheck } from "./readiness-checks.ts";
import { cpuCheck, instancesCheck, requestsCheck } from "./scaling-checks.ts";
import { storeSettingCheck } from "./store-setting-check.ts";

/** What is checked of the Cloud Run service, whatever its store is. */
export const serviceExaminations: readonly Examination[] = [
  readyCheck,
  imageCheck,
  ingressCheck,
  invokersCheck,
  identityCheck,
  authCheck,
  instancesCheck,
  cpuCheck,
  http2Check,
  startupCheck,
  livenessCheck,
  requestsCheck,
  storeSettingCheck,
];
