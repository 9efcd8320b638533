import { TapeError } from "../errors.ts";
import type { EventEntry } from "../model/feed.ts";
import type { Limits } from "./limits.ts";

/** placeholder until the library is in */
export function compilePredicate(cel: string, limits: Limits): (event: EventEntry) => boolean {
  if (cel === "") return () => true;
  throw new TapeError("UNIMPLEMENTED", `predicates ${limits.textBytes}`);
}
