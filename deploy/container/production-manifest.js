// Prints the package.json at argv[2] as that of a server in production: the drivers of the stores named in argv[3] are
// dependencies, in the version that is developed against, and no other is optional.
import { readFileSync } from "node:fs";

const drivers = new Map([
  ["alloydb", "google-auth-library"],
  ["bigtable", "@google-cloud/bigtable"],
  ["spanner", "@google-cloud/spanner"],
]);

const [, , path = "package.json", stores = ""] = process.argv;
const {
  peerDependencies: _peers,
  peerDependenciesMeta: _meta,
  ...manifest
} = /** @type {Record<"dependencies" | "devDependencies" | "peerDependencies" | "peerDependenciesMeta", Record<string, string>>} */ (
  JSON.parse(readFileSync(path, "utf8"))
);
const dependencies = { ...manifest.dependencies };
// npm counts what is in both lists as one for developers.
const devDependencies = { ...manifest.devDependencies };
for (const store of stores.split(" ").filter((name) => name !== "")) {
  const driver = drivers.get(store) ?? "";
  const version = manifest.devDependencies[driver];
  if (version === undefined) {
    const known = [...drivers.keys()].join(", ");
    throw new Error(`CLOUD_STORES: no driver for ${JSON.stringify(store)}; known are ${known}`);
  }
  dependencies[driver] = version;
  delete devDependencies[driver];
}
console.log(JSON.stringify({ ...manifest, dependencies, devDependencies }, undefined, 2));
