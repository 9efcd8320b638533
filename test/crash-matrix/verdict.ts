import type { Facts } from "./scenarios/facts.ts";

/** What is wrong with what can be read after a crash. */
export interface Fault {
  readonly kind: "lost" | "duplicated" | "wrong answer";
  readonly what: string;
}

/**
 * Compares what can be read with what can be read after the same calls were made undisturbed. What is missing is lost,
 * an entry too many is duplicated. A state that differs has lost a write, unless entries say that one counted twice.
 */
export function compare(expected: Facts, found: Facts): readonly Fault[] {
  const missing = without(expected, found);
  const extra = without(found, expected);
  const lost = missing.filter(isEntry);
  const duplicated = extra.filter(isEntry);
  const faults: Fault[] = [
    ...lost.map((what): Fault => ({ kind: "lost", what: `${what} is not there` })),
    ...duplicated.map((what): Fault => ({ kind: "duplicated", what: `${what} is there once more than it should be` })),
  ];
  if (faults.length > 0) return faults;
  const others = extra.filter((fact) => !isEntry(fact));
  return missing.map((what) => ({
    kind: "lost",
    what: `${what} is not so; instead: ${others.join("; ") || "nothing"}`,
  }));
}

const isEntry = (fact: string): boolean => fact.startsWith("entry: ");

/** The first without the second, each as often as it is there. */
function without(all: Facts, taken: Facts): Facts {
  const left = [...taken];
  return all.filter((fact) => {
    const at = left.indexOf(fact);
    if (at === -1) return true;
    left.splice(at, 1);
    return false;
  });
}
