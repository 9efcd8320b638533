/** What the syntax tree of a predicate tells of it before it is ever evaluated. */
export interface PredicateShape {
  /** Parts of the expression; when there are more than are counted, the rest of what is said here is not all. */
  readonly nodes: number;
  /** How deep loops (`all`, `exists`, `map`, `filter`) are nested. */
  readonly loopDepth: number;
  /** Names that are looked up, but for those that the loops make. */
  readonly names: ReadonlySet<string>;
  /** Functions that are called by name; operators are not among them. */
  readonly functions: ReadonlySet<string>;
  /**
   * Searches of one text for another (`contains`, `matches`): the length of what is looked for, `Infinity` when the entry
   * says what that is.
   */
  readonly searches: readonly number[];
  /** Calls that read a number out of a text of any length, which takes more than its length. */
  readonly numbersRead: number;
}

interface Found {
  readonly mostNodes: number;
  readonly searches: number[];
  nodes: number;
  numbersRead: number;
  readonly names: Set<string>;
  readonly functions: Set<string>;
  readonly loopNames: Set<string>;
}

const isNamed = /^[a-zA-Z]/;
const searching: ReadonlySet<string> = new Set(["contains", "matches"]);
const readingNumbers: ReadonlySet<string> = new Set(["int", "uint"]);

/**
 * Looks at a parsed CEL expression. Its parts are tagged objects, `{ case, value }` (google/api/expr/syntax.proto). No more
 * of them than `mostNodes` are looked at: they may lie within each other deeper than the stack is.
 */
export function predicateShape(expression: unknown, mostNodes: number): PredicateShape {
  const found: Found = {
    mostNodes,
    searches: [],
    numbersRead: 0,
    nodes: 0,
    names: new Set(),
    functions: new Set(),
    loopNames: new Set(),
  };
  const loopDepth = visit(expression, found);
  const { nodes, functions, names, loopNames, searches, numbersRead } = found;
  return {
    nodes,
    loopDepth,
    functions,
    searches,
    numbersRead,
    names: new Set([...names].filter((name) => !loopNames.has(name))),
  };
}

/** Counts and collects below this node; gives how deep loops are nested in it. */
function visit(node: unknown, found: Found): number {
  if (typeof node !== "object" || node === null || found.nodes > found.mostNodes) return 0;
  const isPart = "case" in node && "value" in node && node.case !== undefined;
  if (isPart) found.nodes += 1;
  let depth = 0;
  for (const child of Object.values(node)) depth = Math.max(depth, visit(child, found));
  if (!isPart) return depth;
  const value = node.value as Readonly<Record<string, unknown>>;
  if (node.case === "identExpr") found.names.add(String(value["name"]));
  if (node.case === "callExpr" && isNamed.test(String(value["function"]))) {
    const name = String(value["function"]);
    found.functions.add(name);
    if (searching.has(name)) found.searches.push(lengthOfText(value["args"]));
    if (readingNumbers.has(name)) found.numbersRead += 1;
  }
  if (node.case !== "comprehensionExpr") return depth;
  for (const name of ["iterVar", "iterVar2", "accuVar"]) found.loopNames.add(String(value[name]));
  return depth + 1;
}

/** The length of the last argument when it is a text that stands in the expression. */
function lengthOfText(args: unknown): number {
  const [last] = Array.isArray(args) ? (args.slice(-1) as { readonly exprKind?: Part }[]) : [];
  const constant = last?.exprKind?.case === "constExpr" ? (last.exprKind.value as { constantKind?: Part }) : undefined;
  const text = constant?.constantKind?.value;
  return typeof text === "string" ? text.length : Infinity;
}

interface Part {
  readonly case?: unknown;
  readonly value?: unknown;
}
