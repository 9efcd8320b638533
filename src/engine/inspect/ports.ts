import type { Partition } from "../../codec/row-id.ts";
import type { Access } from "../../model/access.ts";
import type { EnginePorts } from "../engine-tape.ts";

/** What the calls of one caller need. */
export interface InspectPorts extends EnginePorts {
  readonly access: Access;
  readonly partition: Partition;
}
