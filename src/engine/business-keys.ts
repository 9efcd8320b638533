import { claimRow, runRow, type Partition } from "../codec/row-id.ts";
import { TapeError } from "../errors.ts";
import { assertBusinessKey, businessKeyRules } from "../journal/claim/business-key.ts";
import { hasBusinessKey } from "../journal/run/lifecycle.ts";
import { runRules } from "../journal/run/rules.ts";
import type { Pipeline, WinBusinessKey } from "./pipeline.ts";
import type { Target } from "./slot-cache.ts";
import { plainCall } from "./row-slot.ts";
import type { RunEvent } from "../journal/run/events.ts";
import type { Run } from "../journal/run/run.ts";

/** The row of a run, as a target of calls. */
export const runTarget = (partition: Partition, runId: string): Target<Run, RunEvent> => ({
  row: runRow(partition, runId),
  partition,
  rules: runRules,
});

const mostRounds = 50;

/**
 * Wins a business key for a run, or refuses (R22). Two rows are involved and there is no transaction over both; this
 * order makes it safe:
 *
 * 1. The run asserts itself on the key's row by a commit, before every attempt to write its effect.
 * 2. Who finds another owner looks at that owner's run. If the effect is there, the key is taken for ever. If not, the
 *    look is itself a commit on that run: an effect that the owner decided to write before it can no longer be written
 *    without asserting again.
 * 3. Only then the key's row is taken over, if nobody has asserted since step 2 read it.
 */
export const winBusinessKey =
  (pipeline: () => Pipeline): WinBusinessKey =>
  async (partition, { tenantId, connector, businessKey, runId }) => {
    const target = {
      row: claimRow(partition, tenantId, connector, businessKey),
      partition,
      rules: businessKeyRules,
    };
    let evicting: { readonly assertions: number } | null = null;
    for (let round = 0; round < mostRounds; round += 1) {
      const decide = assertBusinessKey({ connector, businessKey, runId }, evicting);
      const ownership = await pipeline().execute(target, decide, plainCall);
      if (ownership.kind === "owned") return;
      const owner = runTarget(partition, ownership.runId);
      if (await pipeline().execute(owner, hasBusinessKey(connector, businessKey), plainCall)) {
        throw new TapeError(
          "BUSINESS_KEY_USED",
          `business key ${businessKey} of connector ${connector} belongs to an effect of another run; one act has one key`,
          { ids: { connector, business_key: businessKey } },
        );
      }
      evicting = ownership;
    }
    throw new TapeError(
      "WRITE_CONFLICT",
      `business key ${businessKey} of connector ${connector} is fought over; try again`,
    );
  };
