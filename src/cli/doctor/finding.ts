import type * as model from "../../model/finding.ts";
import type { CheckId } from "./check-ids.ts";

export { fail, ok, skipped, untold, warn } from "../../model/finding.ts";

/** What one of the checks of `tape doctor` found. */
export type Finding = model.Finding<CheckId>;

/** A part of `tape doctor`. */
export type Checkup = model.Checkup<CheckId>;
