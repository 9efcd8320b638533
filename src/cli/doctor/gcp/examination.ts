import { skipped, type Finding } from "../finding.ts";
import type { GcpCheckId } from "./gcp-checks.ts";
import type { Installation } from "./installation.ts";
import type { Sight } from "./sight.ts";
import type { CloudRunService } from "./service/cloud-run-service.ts";

/** One check, or several that look at the same thing. */
export interface Examination {
  readonly ids: readonly GcpCheckId[];
  /** Never rejects for what it examines. */
  readonly examine: (at: Installation) => Promise<readonly Finding[]>;
}

/** A check by itself. */
export const examination = (
  id: GcpCheckId,
  check: (at: Installation, id: GcpCheckId) => Promise<Finding>,
): Examination => ({
  ids: [id],
  examine: async (at) => [await check(at, id)],
});

type ServiceCheck = (service: CloudRunService, at: Installation, id: GcpCheckId) => Finding | Promise<Finding>;

/** A check of the Cloud Run service; skipped if that cannot be seen, which is a finding of its own. */
export const serviceExamination = (id: GcpCheckId, check: ServiceCheck): Examination =>
  examination(id, async (at) => {
    const service = await at.service();
    return service.kind === "seen" ? check(service.value, at, id) : behind(id, "gcp.service.ready");
  });

/** An earlier finding stands in its way. */
export const behind = (id: GcpCheckId, earlier: GcpCheckId): Finding =>
  skipped(id, `not looked at, because of ${earlier}`);

/** What was looked for, or the finding in its place. */
export async function onSight<T>(
  id: GcpCheckId,
  sight: Promise<Sight<T>>,
  check: (value: T) => Finding | Promise<Finding>,
): Promise<Finding> {
  const found = await sight;
  return found.kind === "seen" ? check(found.value) : found.finding(id);
}
