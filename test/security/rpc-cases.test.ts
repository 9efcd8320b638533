import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DescService } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { rpcMethods, type RpcName } from "../../src/rpc/rpc-methods.ts";
import { rpcCases, withoutTenant } from "./rpc-cases.ts";

const generated = join(import.meta.dirname, "../../src/rpc/gen");

/** The paths of all RPCs of all services that there is code for. */
async function allPaths(): Promise<readonly string[]> {
  const files = readdirSync(generated, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("_pb.ts"));
  const modules = await Promise.all(
    files.map(async (file) => (await import(pathToFileURL(join(generated, file)).href)) as Record<string, unknown>),
  );
  const services = modules.flatMap((module) => Object.values(module).filter(isService));
  return services.flatMap((service) => service.methods.map((method) => `/${service.typeName}/${method.name}`));
}

const isService = (value: unknown): value is DescService =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "service";

it("every RPC of every service has a case about another tenant, or a reason to have none", async () => {
  const cases = (Object.keys(rpcCases) as RpcName[]).map((name) => rpcMethods[name].path);
  const paths = await allPaths();
  expect(paths.length).toBeGreaterThan(56);
  expect([...cases, ...Object.keys(withoutTenant)].toSorted()).toEqual(paths.toSorted());
});
