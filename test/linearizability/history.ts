/** What a call was answered: fields of its result, or a refusal under `refused` with what it says. */
export type Answer = Readonly<Record<string, string | number | boolean>>;

/** What every input has; the rest is the model's business. JSON data. */
export interface Input {
  readonly call: string;
  /** R3: a repeat of the same id changes nothing. */
  readonly requestId?: string;
}

/** One call of one client on one object. JSON data. */
export interface Operation<I extends Input = Input> {
  readonly client: string;
  readonly input: I;
  /** Place of the request among all requests and answers of the history: what is smaller came first. */
  readonly invoked: number;
  /** Place of the answer; absent like it. */
  readonly returned?: number;
  /** Absent: the outcome is unknown. It may have happened at any time after the request, may yet happen, or never will. */
  readonly answer?: Answer;
  /** The clock at the request, in milliseconds since 1970, no later than any server's clock when it decided. */
  readonly fromMs: number;
  /** The clock at the answer, no earlier than that; absent like the answer. */
  readonly untilMs?: number;
}

/** Records one object's history. Requests and answers get their places as they pass, so that their order is real. */
export class Recorder<I extends Input = Input> {
  readonly #now: () => number;
  readonly #slackMs: number;
  readonly #operations: Operation<I>[] = [];
  #events = 0;

  /** @param slackMs By how much the servers' clocks may differ from this one, either way. */
  constructor(now: () => number, slackMs: number) {
    this.#now = now;
    this.#slackMs = slackMs;
  }

  /** The operations so far, in the order of their requests. */
  get operations(): readonly Operation<I>[] {
    return this.#operations;
  }

  /** A call that is sent now; gives what records its answer. Without that its outcome stays unknown. */
  invoke(client: string, input: I): (answer: Answer) => void {
    const at = this.#operations.length;
    const invoked = { client, input, invoked: this.#events++, fromMs: this.#now() - this.#slackMs };
    this.#operations.push(invoked);
    return (answer) => {
      const returned = this.#events++;
      this.#operations[at] = { ...invoked, returned, answer, untilMs: this.#now() + this.#slackMs };
    };
  }
}

/** How many calls were under way at once, those of unknown outcome left out once their client has gone on. */
export function longestOverlap(operations: readonly Operation[]): number {
  const changes = operations.flatMap(({ invoked, returned }) =>
    returned === undefined
      ? []
      : [
          { at: invoked, by: 1 },
          { at: returned, by: -1 },
        ],
  );
  let open = 0;
  let longest = 0;
  for (const { by } of changes.toSorted((a, b) => a.at - b.at)) {
    open += by;
    longest = Math.max(longest, open);
  }
  return longest;
}
