/** What the syntax tree of a predicate tells of it before it is ever evaluated. */
export interface PredicateShape {
  /** Parts of the expression. */
  readonly nodes: number;
  /** How deep loops (`all`, `exists`, `map`, `filter`) are nested. */
  readonly loopDepth: number;
  /** Names that are looked up, but for those that the loops make. */
  readonly names: ReadonlySet<string>;
  /** Functions that are called by name; operators are not among them. */
  readonly functions: ReadonlySet<string>;
}

interface Found {
  nodes: number;
  readonly names: Set<string>;
  readonly functions: Set<string>;
  readonly loopNames: Set<string>;
}

const isNamed = /^[a-zA-Z]/;

/** Looks at a parsed CEL expression. Its parts are tagged objects, `{ case, value }` (google/api/expr/syntax.proto). */
export function predicateShape(expression: unknown): PredicateShape {
  const found: Found = { nodes: 0, names: new Set(), functions: new Set(), loopNames: new Set() };
  const loopDepth = visit(expression, found);
  const { nodes, functions, names, loopNames } = found;
  return { nodes, loopDepth, functions, names: new Set([...names].filter((name) => !loopNames.has(name))) };
}

/** Counts and collects below this node; gives how deep loops are nested in it. */
function visit(node: unknown, found: Found): number {
  if (typeof node !== "object" || node === null) return 0;
  let depth = 0;
  for (const child of Object.values(node)) depth = Math.max(depth, visit(child, found));
  if (!("case" in node) || !("value" in node) || node.case === undefined) return depth;
  found.nodes += 1;
  const value = node.value as Readonly<Record<string, unknown>>;
  if (node.case === "identExpr") found.names.add(String(value["name"]));
  if (node.case === "callExpr" && isNamed.test(String(value["function"]))) {
    found.functions.add(String(value["function"]));
  }
  if (node.case !== "comprehensionExpr") return depth;
  for (const name of ["iterVar", "iterVar2", "accuVar"]) found.loopNames.add(String(value[name]));
  return depth + 1;
}
