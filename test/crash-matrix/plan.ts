import type { RequestFate } from "./places/place.ts";
import type { Prepared, Scenario } from "./scenarios/scenario.ts";
import type { Facts } from "./scenarios/facts.ts";
import type { Step } from "./server/protocol.ts";

/** What a scenario comes to when nothing is killed: what every crash is compared with. */
export interface Twin {
  /** After the call and the neighbour's. */
  readonly facts: Facts;
  /** What may be found in between: before any call, after either, and after both. */
  readonly stages: readonly Facts[];
  readonly answer: string;
  /** Appends that the call makes. */
  readonly appends: number;
  /** Requests that write, which the store makes for it; 0 where nobody sees them. */
  readonly requests: number;
}

/** The moment at which something is killed. */
export type Moment =
  | { readonly kind: "step"; readonly step: Step; readonly nth: number }
  /** In the middle of `committing`: at the nth request that the store makes. */
  | { readonly kind: "request"; readonly nth: number; readonly lost: RequestFate["lost"] };

/** One call at one moment. */
export interface Cell {
  readonly scenario: Scenario;
  readonly twin: Twin;
  readonly moment: Moment;
}

/** A cell whose call is ready to be sent. */
export interface ReadyCell extends Cell {
  readonly name: string;
  readonly prepared: Prepared;
}

/** The column of the table that a moment is in. */
export const stepOf = (moment: Moment): Step => (moment.kind === "step" ? moment.step : "committing");

/** Two moments at which calls can be held together. */
export const sameMoment = (a: Moment, b: Moment): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Every moment of a call: what happens for each of its appends, and for each request that can be seen. */
export function momentsOf(twin: Twin): readonly Moment[] {
  const moments: Moment[] = [{ kind: "step", step: "arrived", nth: 1 }];
  for (let nth = 1; nth <= twin.appends; nth += 1) {
    moments.push({ kind: "step", step: "decided", nth });
    moments.push({ kind: "step", step: "committing", nth });
    moments.push({ kind: "step", step: "committed", nth });
  }
  for (let nth = 1; nth <= twin.requests; nth += 1) {
    moments.push({ kind: "request", nth, lost: "request" }, { kind: "request", nth, lost: "answer" });
  }
  return [...moments, { kind: "step", step: "replied", nth: 1 }];
}
