import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import { FakeClock, seededRandom, type Random } from "../../src/testing/index.ts";
import { perform } from "./calls.ts";
import type { Answer, Operation } from "./history.ts";
import { knownHistories } from "./known/known-histories.ts";
import { judge, smallestExcerpt } from "./verdicts.ts";
import { check } from "./checker.ts";
import { objectKinds, type ObjectKind } from "./workload/player.ts";

const kindOf = (wanted: string): ObjectKind => {
  const kind = objectKinds.find(({ name }) => name === wanted);
  if (kind === undefined) throw new RangeError(wanted);
  return kind;
};

describe("a history that", () => {
  it.each(knownHistories)("is possible: $isPossible: $name", ({ kind, operations, isPossible }) => {
    const history = { kind: kindOf(kind), object: "o", operations };
    const verdict = judge(history);
    expect(verdict.kind).toBe(isPossible ? "linearizable" : "violation");
    if (verdict.kind !== "violation") return;
    const { from, operations: rest, culprit } = smallestExcerpt(history, verdict);
    expect(check(history.kind.model, rest, from)).toMatchObject({ kind: "violation", culprit });
  });
});

const calls = 30;
const clients = 3;

/** What clients are answered by the engine itself when they call it one after the other. */
async function callsInTurn(kind: ObjectKind, random: Random): Promise<readonly Operation[]> {
  const store = new MemoryStore();
  await store.open();
  const clock = new FakeClock();
  const engine = new Engine({ store, clock });
  engine.start();
  const tape = engine.tape(localAccess);
  const players = Array.from({ length: clients }, (_, n) => kind.player(`c${n + 1}`, random.fork()));
  const operations: Operation[] = [];
  for (let n = 0; n < calls; n += 1) {
    if (random.chance(0.3)) await clock.advance(random.int(1200));
    else await setImmediate();
    const client = random.int(clients);
    // Now and then a call is sent again, as it was.
    const again = operations[random.int(Math.max(1, operations.length))];
    const input = again !== undefined && random.chance(0.15) ? again.input : players[client]?.next(n / calls);
    if (input === undefined) throw new RangeError("no such player");
    const answer = await perform(tape, "o", input as never);
    if (answer === undefined) throw new RangeError("the engine is there");
    players[client]?.learn(input as never, answer);
    const at = clock.now();
    operations.push({
      client: `c${client + 1}`,
      input,
      invoked: 2 * n,
      returned: 2 * n + 1,
      answer,
      fromMs: at,
      untilMs: at,
    });
  }
  await engine.close();
  await store.close();
  return operations;
}

/** The same calls, each of which began some time before and was answered some time after it took place, or never was. */
function overlapping(operations: readonly Operation[], random: Random): readonly Operation[] {
  const reach = 1 + random.int(4);
  const unknown = random.next() * 0.2;
  const spans = operations.map((_, n) => ({ from: n - random.next() * reach, until: n + random.next() * reach }));
  const ends = spans.flatMap(({ from, until }, n) => [
    { at: from, n, isAnswer: false },
    { at: until, n, isAnswer: true },
  ]);
  const places = new Map(
    ends.toSorted((a, b) => a.at - b.at).map(({ n, isAnswer }, place) => [`${n} ${isAnswer}`, place]),
  );
  const timeAt = (n: number): number => operations[Math.min(operations.length - 1, Math.max(0, n))]?.fromMs ?? 0;
  let lost = 0;
  return operations.map(({ client, input, answer }, n): Operation => {
    const span = spans[n] ?? { from: n, until: n };
    const asked = { client, input, invoked: places.get(`${n} false`) ?? 0, fromMs: timeAt(Math.floor(span.from)) };
    if (answer === undefined || (lost < 4 && random.chance(unknown))) {
      lost += 1;
      return asked;
    }
    return { ...asked, answer, returned: places.get(`${n} true`) ?? 0, untilMs: timeAt(Math.ceil(span.until)) };
  });
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe.each(objectKinds)("a history of one object: $name", (kind) => {
  it("is accepted when calls took place one after the other, however they overlap and whatever answers are lost", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const random = seededRandom(seed);
        const operations = overlapping(await callsInTurn(kind, random), random);
        expect(judge({ kind, object: "o", operations }).kind).toBe("linearizable");
      }),
      { numRuns: 12 },
    );
  });

  it("is refused when one thing of one answer is changed", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const random = seededRandom(seed);
        const operations = await callsInTurn(kind, random);
        // Nobody is told when the server writes down that a claim has expired, so seqs say little there.
        const hasOpenSeqs = operations.some(({ input }) => input.call === "intend");
        const at = random.int(operations.length);
        const { answer = {} } = operations[at] ?? {};
        const field = random.pick(Object.keys(answer).filter((name) => name !== "seq" || !hasOpenSeqs));
        const changed = operations.map((operation, n): Operation =>
          n === at ? { ...operation, answer: { ...answer, [field]: other(answer[field]) } } : operation,
        );
        expect(
          judge({ kind, object: "o", operations: changed }),
          `${field} of ${JSON.stringify(operations[at])}`,
        ).toMatchObject({
          kind: "violation",
        });
      }),
      { numRuns: 25 },
    );
  });

  it("is refused when an answer tells what never was, however calls overlap", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const random = seededRandom(seed);
        const operations = overlapping(await callsInTurn(kind, random), random);
        const told = operations.filter(({ answer }) => textsOf(answer).length > 0);
        fc.pre(told.length > 0);
        const wrong = random.pick(told);
        const field = random.pick(textsOf(wrong.answer));
        const changed = operations.map((operation): Operation =>
          operation === wrong
            ? { ...operation, answer: { ...operation.answer, [field]: "what never was" } }
            : operation,
        );
        expect(judge({ kind, object: "o", operations: changed }).kind).toBe("violation");
      }),
      { numRuns: 12 },
    );
  });
});

const textsOf = (answer: Answer = {}): readonly string[] =>
  Object.keys(answer).filter((field) => typeof answer[field] === "string");

function other(value: Answer[string] | undefined): Answer[string] {
  if (typeof value === "number") return value + 1;
  return typeof value === "string" ? `${value}'` : value !== true;
}
