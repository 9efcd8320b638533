import { isEmptyHead } from "../../../src/codec/head.ts";
import { rowKind } from "../../../src/codec/row-id.ts";
import { choreRules } from "../../../src/journal/chore/chore.ts";
import { businessKeyRules } from "../../../src/journal/claim/business-key.ts";
import { flowRules } from "../../../src/journal/reaction/flow.ts";
import { reactionRules } from "../../../src/journal/reaction/reaction.ts";
import { shardRules } from "../../../src/journal/reaction/shard.ts";
import type { RowRules } from "../../../src/journal/row.ts";
import { runRules } from "../../../src/journal/run/rules.ts";
import { sessionRules } from "../../../src/journal/session/session.ts";
import { sharedStateRules } from "../../../src/journal/session/shared-state.ts";
import { taskRules } from "../../../src/journal/task/task.ts";
import { valueRules } from "../../../src/journal/value/value.ts";
import type { RowId } from "../../../src/model/row.ts";
import type { Entry } from "../../../src/store/store.ts";

type ReadBack = (row: RowId, head: Uint8Array, entries: readonly Entry[]) => string;

const readBackBy =
  <S extends { seq: number }, E>(rules: RowRules<S, E>): ReadBack =>
  (row, head, entries) => {
    const state = rules.absent();
    rules.restore(state, head, entries, row);
    return rules.head(state);
  };

const readBacks: Readonly<Record<string, ReadBack>> = {
  run: readBackBy(runRules),
  value: readBackBy(valueRules),
  session: readBackBy(sessionRules),
  claim: readBackBy(businessKeyRules),
  "user-state": readBackBy(sharedStateRules),
  "app-state": readBackBy(sharedStateRules),
  chore: readBackBy(choreRules),
  reaction: readBackBy(reactionRules),
  "reaction-shard": readBackBy(shardRules),
  "reaction-flow": readBackBy(flowRules),
  task: readBackBy(taskRules),
};

/** The head that a row would have if it were read back from the store and written again. */
export const headReadBack: ReadBack = (row, head, entries) =>
  isEmptyHead(head) ? Buffer.from(head).toString() : (readBacks[rowKind(row)]?.(row, head, entries) ?? "");
