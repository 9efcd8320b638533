import { celEnv, parse, plan } from "@bufbuild/cel";
import { TapeError } from "../errors.ts";
import type { EventEntry } from "../model/feed.ts";
import { predicateShape } from "./predicate-shape.ts";

/** Longer predicates are refused: nobody writes them by hand. */
const longestBytes = 4096;
/** Parts of an expression: each is evaluated once for an entry, or once for each turn of a loop. */
const mostNodes = 512;
/** Brackets within brackets: each takes the parser some twenty frames of the stack, and how many it has hangs on who calls. */
const deepestBrackets = 100;
/** Loops within loops can be made to take for ever; one level takes no longer than the entry is large. */
const deepestLoop = 1;
/**
 * What an evaluation may take, as parts of the expression times bytes of the payload, and, with a loop, times these bytes
 * again: the search of a list in each turn of a loop over it. An evaluation cannot be stopped, so what would take longer is
 * not begun. The worst expressions that were found take 40 ms without a loop and 400 ms with one; those that people write
 * take microseconds.
 */
const mostWork = 2 ** 26;
const mostLoopWork = 2 ** 30;
/**
 * Characters that searches of texts may compare, at worst each of what is looked for at each place: a periodic text of
 * 1 MB, looked for in another, took 4 seconds, and eight times that size sixty times as long. In a loop, that and the
 * turns of the loop.
 */
const mostSearchWork = 2 ** 32;
const mostLoopSearchWork = 2 ** 38;
/** Reading a number of 1 MB takes as long as so many parts of an expression: 0.4 s. */
const partsOfNumber = 64;

/** What a predicate says of an entry: `failed` when it could not be evaluated, which counts as no match. */
export type Verdict = "match" | "no match" | "failed";

/**
 * Compiles a CEL predicate over feed entries (R51). Its variables: `run_id`, `seq`, `kind`, `subject`, `ts_ms`,
 * `global_seq` and `payload` (the parsed `payload_json`). An entry on which it fails (a field that is not there), or whose
 * payload is too large for it, does not match. Empty matches everything. Regular expressions run in linear time. What
 * bounds an evaluation is counted from predicate and payload, never measured: every server says the same of an entry.
 * Errors: ARGUMENT_INVALID.
 */
export function compilePredicate(cel: string): (event: EventEntry) => Verdict {
  if (cel.trim() === "") return () => "match";
  if (!cel.isWellFormed()) throw invalid("is not well-formed Unicode");
  if (Buffer.byteLength(cel) > longestBytes) throw invalid(`is longer than ${longestBytes} bytes`);
  const { evaluate, usesPayload, mayTake } = compile(cel);
  return (event) => {
    if (usesPayload && !mayTake(event.payloadJson.length)) return "failed";
    try {
      const value = evaluate({
        run_id: event.runId,
        seq: BigInt(event.seq),
        kind: event.kind,
        subject: event.subject,
        ts_ms: BigInt(event.tsMs),
        global_seq: BigInt(event.globalSeq),
        payload: usesPayload ? celValue(JSON.parse(event.payloadJson)) : null,
      });
      return typeof value === "boolean" ? (value ? "match" : "no match") : "failed";
    } catch {
      return "failed";
    }
  };
}

interface Compiled {
  readonly evaluate: (variables: Record<string, CelValue>) => unknown;
  readonly usesPayload: boolean;
  /** Whether a payload of this size may be looked at. */
  readonly mayTake: (bytes: number) => boolean;
}

/** What an expression may name. Types are names too: `type(payload.usd) == double`. */
const variables: readonly string[] = ["run_id", "seq", "kind", "subject", "ts_ms", "global_seq", "payload"];
const types = "bool bytes double duration dyn google int list map null_type string timestamp type uint".split(" ");
const known: ReadonlySet<string> = new Set([...variables, ...types]);

function compile(cel: string): Compiled {
  if (bracketDepth(cel) > deepestBrackets) throw invalid("is nested too deeply");
  const env = celEnv();
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(cel);
  } catch (cause) {
    if (cause instanceof RangeError) throw invalid("is nested too deeply", cause);
    throw invalid(`does not compile (${cause instanceof Error ? cause.message : "syntax error"})`, cause);
  }
  const { nodes, loopDepth, names, functions, searches, numbersRead } = predicateShape(parsed.expr, mostNodes);
  if (nodes > mostNodes) throw invalid(`has too many parts, the limit is ${mostNodes}`);
  if (loopDepth > deepestLoop) throw invalid("has a loop within a loop");
  for (const name of names) {
    if (!known.has(name)) throw invalid(`names ${name}, which is none of ${variables.join(", ")}`);
  }
  for (const name of functions) {
    if (env.funcs.find(name) === undefined) throw invalid(`calls ${name}, which is no function of CEL`);
  }
  return {
    evaluate: plan(env, parsed),
    usesPayload: names.has("payload"),
    mayTake: (bytes) => {
      const parts = nodes + numbersRead * partsOfNumber;
      const compared = searches.reduce((sum, length) => sum + Math.min(length, bytes) * bytes, 0);
      if (loopDepth === 0) return parts * bytes <= mostWork && compared <= mostSearchWork;
      return parts * bytes * bytes <= mostLoopWork && compared * bytes <= mostLoopSearchWork;
    },
  };
}

/** How deep brackets are nested, but for those in texts. */
function bracketDepth(cel: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of cel.replaceAll(texts, "").matchAll(/[()[\]{}]/g)) {
    depth += "([{".includes(bracket) ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

const texts = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g;

type CelValue = string | number | bigint | boolean | null | CelValue[] | Map<string, CelValue>;

/** JSON as CEL sees it: whole numbers are ints, so that `payload.tokens > 10` holds as people write it. */
function celValue(json: unknown): CelValue {
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (Array.isArray(json)) return json.map(celValue);
  if (typeof json === "object" && json !== null) {
    return new Map(Object.entries(json).map(([key, value]) => [key, celValue(value)]));
  }
  return json as string | boolean | null;
}

const invalid = (why: string, cause?: unknown): TapeError =>
  new TapeError("ARGUMENT_INVALID", `predicate_cel ${why}`, cause === undefined ? {} : { cause });
