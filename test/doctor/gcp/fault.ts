import type { Finding } from "../../../src/cli/doctor/finding.ts";
import type { GcpCheckId } from "../../../src/cli/doctor/gcp/gcp-checks.ts";
import type { Visit } from "./check-up.ts";
import { errorText } from "./fake-google.ts";
import type { Json, StoreKind, World } from "./world.ts";

/** Something wrong with an installation, and what is to be found. */
export interface Fault {
  /** In the words of whoever made the mistake. */
  readonly name: string;
  /** The installation. Default: the first one, on AlloyDB. */
  readonly store?: StoreKind;
  readonly alter?: (world: World) => void;
  readonly visit?: Omit<Visit, "world">;
  readonly id: GcpCheckId;
  /** `untold`: skipped, although it matters. */
  readonly outcome: Exclude<Finding["outcome"], "ok" | "skipped"> | "untold";
  /** A part of the sentence. */
  readonly says: string;
  /** A part of the commands that mend it. */
  readonly mend: string;
  /** Other findings that change with it. */
  readonly also?: readonly GcpCheckId[];
}

/** A resource of the world. Throws when there is none, so that no fault goes by the wrong name. */
export function at(world: World, path: string): Json {
  const found = world.resources[path];
  if (found === undefined) throw new RangeError(`there is no ${path}`);
  return found;
}

/** Sets a field of a resource: `template.containers.0.image`. */
export function set(world: World, path: string, field: string, value: unknown): void {
  Reflect.set(...holder(world, path, field), value);
}

/** Takes a field away that is there. */
export function drop(world: World, path: string, field: string): void {
  const [object, name] = holder(world, path, field);
  if (!Reflect.deleteProperty(object, name)) throw new RangeError(`there is no ${field} in ${path}`);
}

/** A list in a resource. */
export function listAt(world: World, path: string, field: string): unknown[] {
  const [object, name] = holder(world, path, field);
  const list: unknown = Reflect.get(object, name);
  if (!Array.isArray(list)) throw new RangeError(`there is no list ${field} in ${path}`);
  return list;
}

function holder(world: World, path: string, field: string): [object, string] {
  const names = field.split(".");
  const last = names.pop() ?? "";
  const object = names.reduce<unknown>(
    (value, name) => (typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined),
    at(world, path),
  );
  if (typeof object !== "object" || object === null) throw new RangeError(`there is no ${field} in ${path}`);
  return [object, last];
}

export function remove(world: World, ...list: readonly string[]): void {
  for (const path of list) {
    at(world, path);
    delete world.resources[path];
  }
}

/** An answer by which Google refuses a call. */
export const denied = (permission: string): { readonly status: number; readonly text: string } => ({
  status: 403,
  text: errorText(403, "PERMISSION_DENIED", `Permission '${permission}' denied on resource.`, {
    reason: "IAM_PERMISSION_DENIED",
    domain: "iam.googleapis.com",
    metadata: { permission, resource: "projects/shop" },
  }),
});
