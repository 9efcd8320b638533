import { claims } from "./claims.ts";
import { gates } from "./gates.ts";
import type { KnownHistory } from "./in-turn.ts";
import { leases } from "./leases.ts";
import { values } from "./values.ts";

/** Every history that was written by hand. */
export const knownHistories: readonly KnownHistory[] = [
  ...values.map((one) => ({ ...one, kind: "value" as const })),
  ...[...leases, ...gates, ...claims].map((one) => ({ ...one, kind: "whole run" as const })),
];
