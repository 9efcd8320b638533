import type { Answer, Input, Operation } from "../history.ts";

/** Whether a call was answered this, as far as both tell, or is of unknown outcome. A refusal is never a result. */
export function says({ answer }: Operation, expected: Answer): boolean {
  if (answer === undefined) return true;
  if (answer["refused"] !== expected["refused"]) return false;
  return Object.entries(expected).every(([field, value]) => answer[field] === undefined || answer[field] === value);
}

/** The record with this member, members in order, so that equal records print alike. */
export function put<T>(record: Readonly<Record<string, T>>, name: string, value: T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries({ ...record, [name]: value }).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The request ids with this one, in order. */
export const withRequest = (requests: readonly string[], id: string | undefined): readonly string[] =>
  id === undefined ? requests : [...requests, id].toSorted();

/** Whether this request has been applied (R3). */
export const isRepeat = (requests: readonly string[], id: string | undefined): boolean =>
  id !== undefined && requests.includes(id);

/** Request ids only where one was sent more than once: a state that remembers all would never be met twice. */
export function withoutLoneRequests<I extends Input>(operations: readonly Operation<I>[]): readonly Operation<I>[] {
  const sent = new Map<string, number>();
  for (const { input } of operations) {
    if (input.requestId !== undefined) sent.set(input.requestId, (sent.get(input.requestId) ?? 0) + 1);
  }
  return operations.map((operation) => {
    const { requestId, ...rest } = operation.input;
    return requestId === undefined || (sent.get(requestId) ?? 0) > 1 ? operation : { ...operation, input: rest as I };
  });
}
