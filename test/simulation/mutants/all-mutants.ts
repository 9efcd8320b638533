import { areaMutants } from "./area-mutants.ts";
import { attemptMutants } from "./attempt-mutants.ts";
import { engineMutants } from "./engine-mutants.ts";
import { memoryMutants } from "./memory-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { ruleMutants } from "./rule-mutants.ts";
import { waitMutants } from "./wait-mutants.ts";

/** Every bug that is planted, in the order of the table. */
export const allMutants: readonly Mutant[] = [
  ...engineMutants,
  ...ruleMutants,
  ...areaMutants,
  ...attemptMutants,
  ...waitMutants,
  ...memoryMutants,
];
