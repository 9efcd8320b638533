import { appendCases } from "./append-cases.ts";
import { contentCases } from "./content-cases.ts";
import { crashCases } from "./crash-cases.ts";
import { dropCases } from "./drop-cases.ts";
import { feedCases } from "./feed-cases.ts";
import { indexCases } from "./index-cases.ts";
import { lifeCases } from "./life-cases.ts";
import { modelCases } from "./model-cases.ts";
import { raceCases } from "./race-cases.ts";
import { readCases } from "./read-cases.ts";
import type { StoreCase } from "./store-case.ts";
import { sweepCases } from "./sweep-cases.ts";
import { trimCases } from "./trim-cases.ts";
import { wakeCases } from "./wake-cases.ts";

/** Every case of the suite. */
export const storeCases: readonly StoreCase[] = [
  ...appendCases,
  ...contentCases,
  ...trimCases,
  ...dropCases,
  ...sweepCases,
  ...readCases,
  ...indexCases,
  ...feedCases,
  ...wakeCases,
  ...lifeCases,
  ...raceCases,
  ...modelCases,
  ...crashCases,
];
