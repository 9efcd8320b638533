import { celEnv, parse, plan } from "@bufbuild/cel";
import { TapeError } from "../errors.ts";
import type { EventEntry } from "../model/feed.ts";

/** Longer predicates are refused: nobody writes them by hand. */
const longestBytes = 4096;
/** Loops within loops can be made to take for ever; one level takes no longer than the entry is large. */
const deepestLoop = 1;

/**
 * Compiles a CEL predicate over feed entries (R51). Its variables: `run_id`, `seq`, `kind`, `subject`, `ts_ms`,
 * `global_seq` and `payload` (the parsed `payload_json`). An entry on which it fails (a field that is not there) does
 * not match. Empty matches everything. Regular expressions run in linear time.
 * Errors: ARGUMENT_INVALID.
 */
export function compilePredicate(cel: string): (event: EventEntry) => boolean {
  if (cel.trim() === "") return () => true;
  if (Buffer.byteLength(cel) > longestBytes) throw invalid(`is longer than ${longestBytes} bytes`);
  const evaluate = compile(cel);
  return (event) =>
    evaluate({
      run_id: event.runId,
      seq: BigInt(event.seq),
      kind: event.kind,
      subject: event.subject,
      ts_ms: BigInt(event.tsMs),
      global_seq: BigInt(event.globalSeq),
      payload: celValue(JSON.parse(event.payloadJson)),
    }) === true;
}

function compile(cel: string): (variables: Record<string, CelValue>) => unknown {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(cel);
  } catch (cause) {
    throw invalid(`does not compile (${cause instanceof Error ? cause.message : "syntax error"})`, cause);
  }
  if (loopDepth(parsed.expr) > deepestLoop) throw invalid("has a loop within a loop");
  try {
    return plan(celEnv(), parsed);
  } catch (cause) {
    throw invalid(`does not compile (${cause instanceof Error ? cause.message : "unknown function"})`, cause);
  }
}

/** How deep loops (`all`, `exists`, `map`, `filter`) are nested. */
function loopDepth(node: unknown): number {
  if (typeof node !== "object" || node === null) return 0;
  const deepest = Object.values(node).reduce<number>((depth, child) => Math.max(depth, loopDepth(child)), 0);
  return "case" in node && node.case === "comprehensionExpr" ? deepest + 1 : deepest;
}

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
