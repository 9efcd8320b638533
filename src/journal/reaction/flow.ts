import { decodeHead } from "../../codec/head.ts";
import { accept, type Decide, type HeadEvent, type RowRules } from "../row.ts";

/*
 * The row that counts what of a reaction is handed out (R71). A claim is counted here before it is made, and no longer than
 * it lasts, so that the limits hold whatever crashes in between: what is counted too many goes with the claim's expiry.
 */

const format = 1;
const windowMs = 1000;

/** Tasks handed out at one millisecond. */
interface HandedOut {
  readonly atMs: number;
  readonly count: number;
  /** The first of the claims, which names them all. */
  readonly first: string;
}

/** What is handed out. */
export interface Flow {
  seq: number;
  /** Claims to their expiry; kept while there is a limit on them. */
  readonly claims: Map<string, number>;
  /** Of the last second, oldest first; kept while there is a limit on it. */
  handedOut: readonly HandedOut[];
}

/** What can happen to it. */
export type FlowEvent =
  | (HeadEvent<"hand-out"> & {
      readonly claims: readonly string[];
      readonly expiresAtMs: number;
      readonly count: number;
      readonly first: string;
    })
  | (HeadEvent<"give-back"> & { readonly claims: readonly string[]; readonly count: number });

interface FlowHead {
  readonly format: number;
  readonly kind: "reaction-flow";
  readonly claims: readonly (readonly [string, number])[];
  readonly handed_out: readonly (readonly [number, number, string])[];
}

/** The rules of the row. */
export const flowRules: RowRules<Flow, FlowEvent> = {
  past: "none",
  absent: () => ({ seq: 0, claims: new Map(), handedOut: [] }),
  restore(flow, bytes, _entries, row) {
    const head = decodeHead<FlowHead>(bytes, format, row, ["reaction-flow"]);
    flow.claims.clear();
    for (const [claim, expiresAtMs] of head.claims) flow.claims.set(claim, expiresAtMs);
    flow.handedOut = head.handed_out.map(([atMs, count, first]) => ({ atMs, count, first }));
  },
  evolve(flow, event, { at }) {
    if (event.kind === "head/hand-out") {
      for (const [claim, expiresAtMs] of flow.claims) if (expiresAtMs <= at) flow.claims.delete(claim);
      for (const claim of event.claims) flow.claims.set(claim, event.expiresAtMs);
      const { first, count } = event;
      flow.handedOut = flow.handedOut.filter((other) => other.atMs > at - windowMs && other.first !== first);
      if (count > 0) flow.handedOut = [...flow.handedOut, { atMs: at, count, first }];
      return;
    }
    for (const claim of event.claims) flow.claims.delete(claim);
    flow.handedOut = withoutLast(flow.handedOut, event.count);
  },
  head({ claims, handedOut }) {
    const head: FlowHead = {
      format,
      kind: "reaction-flow",
      claims: [...claims],
      handed_out: handedOut.map(({ atMs, count, first }) => [atMs, count, first]),
    };
    return JSON.stringify(head);
  },
  indexKeys: () => [],
  trimBelow: () => 1,
  bytes: ({ claims, handedOut }) => 512 + 100 * claims.size + 50 * handedOut.length,
};

/** As if so many had not been handed out, the newest first. */
function withoutLast(handedOut: readonly HandedOut[], count: number): readonly HandedOut[] {
  const kept = [...handedOut];
  for (let left = count; left > 0;) {
    const last = kept.pop();
    if (last === undefined) break;
    if (last.count > left) kept.push({ ...last, count: last.count - left });
    left -= last.count;
  }
  return kept;
}

/** What is to be handed out, and within which limits; 0 is none. */
export interface HandOut {
  /** A name for each claim: of the task, and of the call that claims it. */
  readonly claims: readonly string[];
  readonly expiresAtMs: number;
  readonly maxConcurrency: number;
  readonly rateLimitPerS: number;
}

/**
 * Counts as many of these claims as the limits allow, the first ones; gives their number. What an earlier attempt at the
 * same has counted is not counted twice.
 */
export const handOut =
  ({ claims, expiresAtMs, maxConcurrency, rateLimitPerS }: HandOut): Decide<Flow, FlowEvent, number> =>
  (flow, { now }) => {
    const [first = ""] = claims;
    const own = new Set(claims);
    const live = [...flow.claims].filter(([claim, ms]) => ms > now && !own.has(claim)).length;
    const others = flow.handedOut.filter((other) => other.atMs > now - windowMs && other.first !== first);
    const lately = others.reduce((sum, { count }) => sum + count, 0);
    const room = maxConcurrency === 0 ? Infinity : maxConcurrency - live;
    const rate = rateLimitPerS === 0 ? Infinity : rateLimitPerS - lately;
    const count = Math.max(0, Math.min(claims.length, room, rate));
    if (count === 0) return accept([], 0);
    const counted = maxConcurrency === 0 ? [] : claims.slice(0, count);
    const event: FlowEvent = {
      kind: "head/hand-out",
      claims: counted,
      expiresAtMs,
      count: rateLimitPerS === 0 ? 0 : count,
      first,
    };
    return accept([event], count);
  };

/** Claims that have ended, or, with `unused`, that did not come about: those do not count as handed out either. */
export const giveBack =
  (claims: readonly string[], unused: boolean): Decide<Flow, FlowEvent, null> =>
  (flow) => {
    const counted = claims.filter((claim) => flow.claims.has(claim));
    const count = unused && flow.handedOut.length > 0 ? claims.length : 0;
    const isNews = counted.length > 0 || count > 0;
    return accept(isNews ? [{ kind: "head/give-back", claims: counted, count }] : [], null);
  };
