import type { Input, Operation } from "./history.ts";

/* A checker of linearizability: after Wing and Gong, "Testing and verifying concurrent objects" (1993), with the memory of
   Lowe, "Testing for linearizability" (2017), who also puts a call into its place as late as can be: just before an answer
   that needs it. Objects are checked one by one, because a history is linearizable if that of every object is (Herlihy
   and Wing, 1990). */

/** What an object does when calls come one after the other. States are JSON data, equal ones print alike. */
export interface SequentialModel<State, I extends Input> {
  readonly initial: State;
  /**
   * The states after this call, if it takes place in this state and has its answer, or any if that is unknown. Empty: it
   * cannot have. Several where the call decides by something the state does not know, such as the time.
   */
  step(state: State, operation: Operation<I>): readonly State[];
  /** Whether a call with this answer changes nothing, in whatever state. */
  isPure(operation: Operation<I>): boolean;
}

/** Where an object may stand at some moment: its state, and which calls without an answer so far are in it. */
export interface Stand<State> {
  readonly state: State;
  /** Places in the list of operations, rising. */
  readonly applied: readonly number[];
}

/** What came of a check; `states` tells how many stands were looked at. */
export type Verdict<State> =
  | { readonly kind: "linearizable"; readonly states: number }
  | {
      readonly kind: "violation";
      readonly states: number;
      /** The operation whose answer no order of the calls explains, if all before it are explained. */
      readonly culprit: number;
      /** Every stand possible just before that operation was invoked. */
      readonly stands: readonly Stand<State>[];
    }
  /** There were too many to look at. */
  | { readonly kind: "undecided"; readonly states: number };

interface Event {
  readonly operation: number;
  readonly isAnswer: boolean;
}

interface Node<State> extends Stand<State> {
  readonly stateKey: string;
  /** The next event. */
  readonly at: number;
  /** Calls that were invoked and are not in the state. */
  readonly pending: readonly number[];
}

/** More than any history of a healthy run comes near to. */
const defaultMostStates = 2_000_000;

/** Whether some order of the calls, which respects that one came wholly before another, explains all answers. */
export function check<State, I extends Input>(
  model: SequentialModel<State, I>,
  operations: readonly Operation<I>[],
  from: readonly Stand<State>[] = [{ state: model.initial, applied: [] }],
  mostStates: number = defaultMostStates,
): Verdict<State> {
  const events = eventsOf(operations);
  const search = new Search(model, operations, events);
  const seen = new Set<string>();
  const reached = events.map((): Stand<State>[] => []);
  const stack = from.map((stand): Node<State> => ({ ...stand, stateKey: keyOf(stand.state), at: 0, pending: [] }));
  let furthest = 0;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const key = `${node.at} ${node.applied.join()} ${node.stateKey}`;
    if (seen.has(key)) continue;
    if (seen.size >= mostStates) return { kind: "undecided", states: seen.size };
    seen.add(key);
    if (node.at === events.length) return { kind: "linearizable", states: seen.size };
    furthest = Math.max(furthest, node.at);
    reached[node.at]?.push({ state: node.state, applied: node.applied });
    stack.push(...search.next(node));
  }
  const culprit = events[furthest]?.operation ?? 0;
  const invoked = events.findIndex(({ operation, isAnswer }) => operation === culprit && !isAnswer);
  return { kind: "violation", states: seen.size, culprit, stands: reached[invoked] ?? [] };
}

function eventsOf(operations: readonly Operation[]): readonly Event[] {
  const places = operations.flatMap(({ invoked, returned }, operation) => [
    { place: invoked, operation, isAnswer: false },
    ...(returned === undefined ? [] : [{ place: returned, operation, isAnswer: true }]),
  ]);
  return places.toSorted((a, b) => a.place - b.place);
}

const keyOf = (state: unknown): string => JSON.stringify(state);

class Search<State, I extends Input> {
  readonly #model: SequentialModel<State, I>;
  readonly #operations: readonly Operation<I>[];
  readonly #events: readonly Event[];

  constructor(model: SequentialModel<State, I>, operations: readonly Operation<I>[], events: readonly Event[]) {
    this.#model = model;
    this.#operations = operations;
    this.#events = events;
  }

  /** Where one can go from here; the most promising last. */
  next(node: Node<State>): readonly Node<State>[] {
    const event = this.#events[node.at];
    if (event === undefined) return [];
    const { operation, isAnswer } = event;
    const isApplied = node.applied.includes(operation);
    if (!isAnswer) {
      // A stand that the search begins with may have it already.
      const pending = isApplied ? node.pending : [...node.pending, operation];
      return [this.#settled({ ...node, at: node.at + 1, pending })];
    }
    if (isApplied) {
      return [{ ...node, at: node.at + 1, applied: node.applied.filter((other) => other !== operation) }];
    }
    const others = node.pending.filter((other) => other !== operation);
    const order = [...others.toSorted((a, b) => this.#rank(a) - this.#rank(b)), operation];
    return order.flatMap((one) => this.#apply(node, one));
  }

  /** Calls of unknown outcome are tried after those that were answered. */
  #rank(operation: number): number {
    return this.#operations[operation]?.answer === undefined ? 0 : 1;
  }

  #apply(node: Node<State>, operation: number): readonly Node<State>[] {
    const call = this.#operations[operation];
    if (call === undefined) return [];
    return this.#model.step(node.state, call).flatMap((state) => {
      const stateKey = keyOf(state);
      // It may as well never happen.
      if (call.answer === undefined && stateKey === node.stateKey) return [];
      return [this.#settled({ ...node, ...moved(node, [operation]), state, stateKey })];
    });
  }

  /** With every pending call in its place that changes nothing and is right just now: later it can only be wrong. */
  #settled(node: Node<State>): Node<State> {
    const right = node.pending.filter((operation) => {
      const call = this.#operations[operation];
      if (call?.answer === undefined || !this.#model.isPure(call)) return false;
      const [state, ...rest] = this.#model.step(node.state, call);
      return state !== undefined && rest.length === 0 && keyOf(state) === node.stateKey;
    });
    return right.length === 0 ? node : { ...node, ...moved(node, right) };
  }
}

/** Calls go from those pending to those in the state. */
function moved(node: Node<unknown>, operations: readonly number[]): Pick<Node<unknown>, "pending" | "applied"> {
  return {
    pending: node.pending.filter((other) => !operations.includes(other)),
    applied: [...node.applied, ...operations].toSorted((a, b) => a - b),
  };
}
