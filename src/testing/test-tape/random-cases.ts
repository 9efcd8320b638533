import { upTo } from "./assertions.ts";
import { randomWalk } from "./random-walk.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const walks = 16;
const length = 60;

/** Random calls on one run, compared with a second reading of the rules after each. */
export const randomCases: readonly TapeCase[] = upTo(walks).map((seed) =>
  rule("R2-R46", `${length} random calls do what the tables say (seed ${seed})`, (t) => randomWalk(t, seed, length)),
);
