import type { SequentialModel } from "../checker.ts";
import type { Operation } from "../history.ts";
import { isRepeat, says, withRequest } from "./says.ts";

/** Calls on one value (R60). */
export type ValueInput =
  | {
      readonly call: "write";
      readonly value: string;
      /** Negative: no condition; 0: absent or deleted; n: at n. */
      readonly ifVersion: number;
      readonly writer: string;
      readonly requestId?: string;
    }
  | { readonly call: "delete"; readonly requestId?: string }
  | { readonly call: "get" };

/** A value: `value` and `writer` are empty while it is absent. */
export interface ValueState {
  readonly version: number;
  readonly present: boolean;
  readonly value: string;
  readonly writer: string;
  readonly requests: readonly string[];
}

/** R60 and R3, once more and from the page alone. */
export const valueModel: SequentialModel<ValueState, ValueInput> = {
  initial: { version: 0, present: false, value: "", writer: "", requests: [] },
  isPure: ({ input, answer }) => input.call === "get" || answer?.["refused"] !== undefined,
  step(state, operation) {
    const { input } = operation;
    switch (input.call) {
      case "get":
        return says(operation, seen(state)) ? [state] : [];
      case "delete":
        return deleted(state, operation, input.requestId);
      case "write":
        return written(state, operation, input);
      default:
        return input satisfies never;
    }
  },
};

const seen = ({ version, present, value, writer }: ValueState): Record<string, string | number | boolean> =>
  present ? { found: true, version, value, writer } : { found: false };

function deleted(state: ValueState, operation: Operation<ValueInput>, requestId?: string): readonly ValueState[] {
  const { version, present } = state;
  if (isRepeat(state.requests, requestId)) return says(operation, { deleted: !present, version }) ? [state] : [];
  if (!present) return says(operation, { deleted: false, version }) ? [state] : [];
  const requests = withRequest(state.requests, requestId);
  const next = { version: version + 1, present: false, value: "", writer: "", requests };
  return says(operation, { deleted: true, version: version + 1 }) ? [next] : [];
}

function written(
  state: ValueState,
  operation: Operation<ValueInput>,
  { value, writer, ifVersion, requestId }: Extract<ValueInput, { call: "write" }>,
): readonly ValueState[] {
  const { version, present } = state;
  if (isRepeat(state.requests, requestId)) {
    // Answered from the row as it is now.
    return says(operation, { version, deleted: !present, value: state.value, writer: state.writer }) ? [state] : [];
  }
  const matches = ifVersion < 0 || (ifVersion === 0 ? !present : ifVersion === version);
  if (!matches) return says(operation, { refused: "VERSION_MISMATCH", version }) ? [state] : [];
  const requests = withRequest(state.requests, requestId);
  const next = { version: version + 1, present: true, value, writer, requests };
  return says(operation, { version: version + 1, deleted: false, value, writer }) ? [next] : [];
}
