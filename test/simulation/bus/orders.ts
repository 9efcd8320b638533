/** An entry as the second reading of patterns and predicates sees it. */
interface Matchable {
  /** `<kind>/<verb>`. */
  readonly kind: string;
  readonly seq: number;
  /** `payload_json`, parsed. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A pattern and a predicate, and what they mean, said a second time. */
interface Order {
  readonly pattern: string;
  readonly predicate: string;
  readonly matches: (entry: Matchable) => boolean;
}

const isNumberAbove = (value: unknown, bound: number): boolean => typeof value === "number" && value > bound;

/** What reactions of simulated worlds look for (R51, R52, R70). */
export const orders: readonly Order[] = [
  { pattern: "/tape/effect/failed/**", predicate: "", matches: ({ kind }) => kind === "effect/failed" },
  {
    pattern: "/tape/effect/*/bank/*",
    predicate: 'payload.status == "CONFIRMED"',
    matches: ({ kind, payload }) =>
      kind.startsWith("effect/") && payload["tool"] === "bank" && payload["status"] === "CONFIRMED",
  },
  {
    pattern: "/tape/run/*/shop/**",
    predicate: "",
    matches: ({ kind, payload }) => kind.startsWith("run/") && payload["app"] === "shop",
  },
  {
    pattern: "/tape/value/changed/config/a",
    predicate: "",
    matches: ({ kind, payload }) => kind === "value/changed" && payload["key"] === "a",
  },
  {
    pattern: "",
    predicate: 'kind == "budget" && payload.tokens > 3.0',
    matches: ({ kind, payload }) => kind.startsWith("budget/") && isNumberAbove(payload["tokens"], 3),
  },
  // An entry without the field does not match.
  {
    pattern: "/tape/effect/**",
    predicate: 'payload.error == "busy"',
    matches: ({ kind, payload }) => kind.startsWith("effect/") && payload["error"] === "busy",
  },
  // Runs that reactions began are not meant, or it would feed itself.
  {
    pattern: "/tape/run/**",
    predicate: '!payload.actor.startsWith("reaction/")',
    matches: ({ kind, payload }) =>
      kind.startsWith("run/") && typeof payload["actor"] === "string" && !payload["actor"].startsWith("reaction/"),
  },
  {
    pattern: "/tape/decision/recorded/**",
    predicate: "payload.decision_index > 1.0",
    matches: ({ kind, payload }) => kind === "decision/recorded" && isNumberAbove(payload["decision_index"], 1),
  },
  {
    pattern: "/tape/*/*/**",
    predicate: 'seq > 3 && kind in ["effect", "timer"]',
    matches: ({ kind, seq }) => seq > 3 && (kind.startsWith("effect/") || kind.startsWith("timer/")),
  },
  { pattern: "/tape/gate/**", predicate: "", matches: ({ kind }) => kind.startsWith("gate/") },
];

/** The order with this pattern and predicate. */
export function orderOf(pattern: string, predicate: string): Order {
  const order = orders.find((one) => one.pattern === pattern && one.predicate === predicate);
  if (order === undefined) throw new RangeError(`nobody knows what ${pattern} with ${predicate} means`);
  return order;
}
