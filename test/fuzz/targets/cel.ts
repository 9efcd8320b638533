import fc from "fast-check";
import { compilePredicate } from "../../../src/journal/predicate.ts";
import { pure, refusalOf, wrong, type Target } from "../target.ts";

/** A predicate, and the payload that it is asked about. */
interface Input {
  readonly cel: string;
  readonly payloadJson: string;
}

const long = fc.constantFrom(1, 10, 1000, 30_000, 300_000);
const texts = fc
  .tuple(fc.constantFrom("a", "9", "(a?)", "1h", "\u{e9}", "\\n", "{", "__proto__"), long)
  .map(([unit, times]) => unit.repeat(times));
const deep = long.chain((depth) =>
  fc
    .constantFrom("[", '{"a":')
    .map((open) => `${open.repeat(depth / 2)}1${(open === "[" ? "]" : "}").repeat(depth / 2)}`),
);
const values = fc.oneof(
  texts.map((text) => JSON.stringify(text)),
  fc
    .tuple(texts, long)
    .map(([text, times]) => JSON.stringify(Array.from({ length: times / 100 }, () => text.slice(0, 10)))),
  deep,
  fc.constantFrom(
    "1e400",
    "-0",
    "9007199254740993",
    "1E5",
    "null",
    "true",
    '"\\ud800"',
    "{}",
    '{"__proto__":1}',
    "123456789012345678901234567890",
  ),
  fc.json(),
);
const payloads = fc.tuple(values, values).map(([v, w]) => `{"v":${v},"w":${w}}`);

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthIdentifier: "cel" },
    fc.constantFrom(
      "payload.v",
      "payload.w",
      "payload",
      "kind",
      "subject",
      "seq",
      "1",
      "-1",
      "1u",
      "0.5",
      "null",
      "true",
      '"a"',
      "b'a'",
      "[]",
      "{}",
      "[1, 'a']",
      "x",
      "size",
      "int",
      '"(a*)*b"',
      "9223372036854775807",
    ),
    fc
      .tuple(
        fc.constantFrom("==", "!=", "<", "+", "-", "*", "/", "%", "in", "&&", "||"),
        tie("expression"),
        tie("expression"),
      )
      .map(([operator, a, b]) => `(${a} ${operator} ${b})`),
    fc
      .tuple(
        fc.constantFrom(
          "int",
          "uint",
          "double",
          "string",
          "bytes",
          "size",
          "timestamp",
          "duration",
          "bool",
          "type",
          "dyn",
          "has",
          "nothing",
        ),
        tie("expression"),
      )
      .map(([name, a]) => `${name}(${a})`),
    fc
      .tuple(
        fc.constantFrom("contains", "matches", "startsWith", "endsWith", "getFullYear", "size"),
        tie("expression"),
        tie("expression"),
      )
      .map(([name, a, b]) => `${a}.${name}(${b})`),
    fc
      .tuple(fc.constantFrom("all", "exists", "exists_one", "map", "filter"), tie("expression"), tie("expression"))
      .map(([name, a, b]) => `${a}.${name}(x, ${b})`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `${a}[${b}]`),
    fc.tuple(tie("expression"), tie("expression"), tie("expression")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc
      .tuple(tie("expression"), fc.integer({ min: 1, max: 900 }), fc.constantFrom("!", "-", "(", "["))
      .map(
        ([a, times, sign]) =>
          `${sign.repeat(times)}${a}${(sign === "(" ? ")" : sign === "[" ? "]" : "").repeat(times)}`,
      ),
    fc.string({ maxLength: 10 }),
  ),
}));

/** An evaluation cannot be stopped: one that takes this much of the processor stops the whole server for as long. */
const mostCpuMs = 5000;

/** What takes a predicate. */
export type Compile = typeof compilePredicate;

/** Refused, or a verdict; never anything else, and soon. */
export const checkCel =
  (compile: Compile) =>
  ({ cel, payloadJson }: Input): string => {
    const started = process.cpuUsage();
    let outcome: string;
    try {
      const verdict = compile(cel);
      try {
        outcome = verdict({
          runId: "r",
          seq: 1,
          kind: "value",
          subject: "/tape/value/changed/n/k",
          tsMs: 1,
          globalSeq: 1,
          payloadJson,
        } as Parameters<typeof verdict>[0]);
      } catch (error) {
        return wrong(`an evaluation throws: ${String(error)}`);
      }
      if (!["match", "no match", "failed"].includes(outcome)) wrong(`the verdict is ${outcome}`);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("an evaluation")) throw error;
      const { message } = refusalOf(error, "ARGUMENT_INVALID");
      outcome = `refused: ${message.replace("predicate_cel ", "").split(" ").slice(0, 2).join(" ")}`;
    }
    const { user, system } = process.cpuUsage(started);
    if (user + system > mostCpuMs * 1000) wrong(`it took more than ${mostCpuMs} ms of the processor`);
    return outcome;
  };

/** Predicates (R51, R70): refused with ARGUMENT_INVALID, or a verdict within bounds, whatever predicate and payload are. */
export const cel: Target<Input> = {
  name: "cel",
  inputs: fc.record({ cel: expression, payloadJson: fc.oneof(payloads, fc.string()) }),
  open: pure(checkCel(compilePredicate)),
};
