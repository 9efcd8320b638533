import type { Access } from "../../model/access.ts";
import type { Tape } from "../../model/tape.ts";
import { createScene, type Scene, type SceneOptions } from "./scene.ts";
import type { TapeHarness } from "./tape-harness.ts";

/** One assertion of the suite; it can also be run without a test runner. */
export interface TapeCase {
  /** The rule of `docs/semantics.md` that it proves: `R25`, or `Metadata` for what stands outside the numbers. */
  readonly rule: string;
  readonly name: string;
  /** What the harness must offer, else the case is skipped with this as the reason. */
  readonly needs?: "tapeFor" | undefined;
  /** Rejects when the rule does not hold. Closing the harness is the caller's. */
  readonly run: (harness: TapeHarness) => Promise<void>;
}

/** A case from its body. */
export function rule(
  number: string,
  name: string,
  body: (t: Scene) => Promise<void>,
  options: SceneOptions = {},
): TapeCase {
  return { rule: number, name, run: (harness) => body(createScene(harness, options)) };
}

/** A case about several tenants. */
export function tenantRule(
  number: string,
  name: string,
  body: (t: Scene, tapeFor: (access: Access) => Promise<Tape>) => Promise<void>,
): TapeCase {
  return {
    rule: number,
    name,
    needs: "tapeFor",
    run: async (harness) => {
      if (harness.tapeFor === undefined) throw new TypeError("this case needs a harness with tapeFor");
      await body(createScene(harness), harness.tapeFor);
    },
  };
}
