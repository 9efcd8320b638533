// The provider's AlloyDB clusters have no deletion protection; the module's own is tried out: a cluster is applied, and
// destroyed once in vain and once after the protection was lifted.

const variables = [
  "-var=project=acme",
  "-var=region=europe-west1",
  "-var=network=projects/acme/global/networks/tape",
  "-var=service_account=tape-server@acme.iam.gserviceaccount.com",
];

/**
 * What is wrong with the protection.
 * @param {import("./offline-terraform.js").OfflineTerraform} offline
 * @returns {Promise<readonly string[]>}
 */
export async function checkProtection(offline) {
  const run = (/** @type {readonly string[]} */ ...args) =>
    offline.run("modules/alloydb", [...args, "-auto-approve", "-input=false", "-no-color", ...variables]);
  const lifted = "-var=deletion_protection=false";

  const made = await run("apply");
  if (made.status !== 0) return [`modules/alloydb cannot be applied:\n${made.output}`];
  const refused = await run("destroy");
  if (refused.status === 0) return ["modules/alloydb: a protected cluster was destroyed"];
  if (!refused.output.includes("apply deletion_protection = false first")) {
    return [`modules/alloydb: the refusal does not say what to do:\n${refused.output}`];
  }
  const moved = await run("apply", "-var=region=europe-west4", "-replace=google_alloydb_cluster.this");
  if (moved.status === 0) return ["modules/alloydb: a protected cluster was replaced"];
  const kept = await offline.run("modules/alloydb", ["state", "list"]);
  if (!kept.output.includes("google_alloydb_cluster.this")) return ["modules/alloydb: a protected cluster is gone"];
  const open = await run("apply", lifted);
  const gone = await run("destroy", lifted);
  return open.status === 0 && gone.status === 0
    ? []
    : [`modules/alloydb: lifting the protection does not help:\n${open.output}${gone.output}`];
}
